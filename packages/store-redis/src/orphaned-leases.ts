interface OrphanedLease {
  readonly id: string
  readonly until: number
}

/** A process whose commands fail again and again must not collect leases without end. */
const MOST_OF_A_KEY = 20
const MOST_KEYS = 10_000

/**
 * Leases that Redis may have granted without this process knowing: the client gave up, or its connection broke. No other process
 * can end them, and all would wait until they expire. So the next lease of this process for the same key takes them over.
 */
export class OrphanedLeases {
  /** By key, in the order of the last failure, so the oldest come first. */
  readonly #byKey = new Map<string, readonly OrphanedLease[]>()

  /** The command that asked for the lease failed. */
  add(key: string, id: string, leaseMs: number): void {
    const now = Date.now()
    const others = (this.#byKey.get(key) ?? []).slice(1 - MOST_OF_A_KEY)
    this.#byKey.delete(key)
    this.#byKey.set(key, [...others, { id, until: now + leaseMs }])
    this.#dropOldest(now)
  }

  idsOf(key: string): readonly string[] {
    const now = Date.now()
    return (this.#byKey.get(key) ?? []).filter(({ until }) => now < until).map(({ id }) => id)
  }

  /** This process holds the lease of the key now. */
  clear(key: string): void {
    this.#byKey.delete(key)
  }

  /** Stops at the first key that stays. A walk over all keys at each failure would stall a process that has many. */
  #dropOldest(now: number): void {
    for (const [key, leases] of this.#byKey) {
      const isOver = leases.every(({ until }) => until <= now)
      if (!isOver && this.#byKey.size <= MOST_KEYS) return
      this.#byKey.delete(key)
    }
  }
}
