interface LostLease {
  readonly id: string
  readonly until: number
}

/** A client that gives up at every turn must not make them pile up. */
const MOST_OF_A_KEY = 20

/**
 * Leases that Redis may have given, or may be giving yet, without this process hearing of it: the client gave up, its
 * connection broke. Nobody else can end them, and all would wait for that; so who asks for the key next takes them over.
 */
export class LostLeases {
  readonly #byKey = new Map<string, LostLease[]>()

  /** The command that asked for it failed. */
  add(key: string, id: string, leaseMs: number): void {
    const now = Date.now()
    for (const each of this.#byKey.keys()) this.#dropEnded(each, now)
    const others = (this.#byKey.get(key) ?? []).slice(1 - MOST_OF_A_KEY)
    this.#byKey.set(key, [...others, { id, until: now + leaseMs }])
  }

  idsOf(key: string): readonly string[] {
    return (this.#byKey.get(key) ?? []).map(({ id }) => id)
  }

  /** This process has the lease of the key now. */
  clear(key: string): void {
    this.#byKey.delete(key)
  }

  #dropEnded(key: string, now: number): void {
    const left = (this.#byKey.get(key) ?? []).filter(({ until }) => now < until)
    if (left.length > 0) this.#byKey.set(key, left)
    else this.#byKey.delete(key)
  }
}
