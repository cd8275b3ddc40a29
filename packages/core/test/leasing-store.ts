import type { TokenStore } from '@tokenward/core'

/** A store that leases and knows groups, as Redis does, by the test's clock. It counts what is asked of it. */
export class LeasingStore implements Required<TokenStore> {
  readonly entries = new Map<string, { value: string; until: number }>()
  readonly #groups = new Map<string, Set<string>>()
  readonly #leases = new Map<string, { id: object; until: number }>()
  readonly #now: () => number
  readonly asked: string[] = []
  /** What each call comes to instead, while it is set. */
  broken: (() => unknown) | undefined

  constructor(now: () => number) {
    this.#now = now
  }

  get leaseCount(): number {
    return [...this.#leases.values()].filter(({ until }) => this.#now() < until).length
  }

  get = (key: string) => this.#run('get', () => this.#read(key))

  set = (key: string, value: string, ttlMs: number, group?: string) =>
    this.#run('set', () => this.#write(key, value, ttlMs, group))

  delete = (key: string) =>
    this.#run('delete', () => {
      this.entries.delete(key)
      this.#leases.delete(key)
    })

  deleteGroup = (group: string) =>
    this.#run('deleteGroup', () => {
      for (const key of this.#groups.get(group) ?? []) {
        this.entries.delete(key)
        this.#leases.delete(key)
      }
    })

  lease = (key: string, leaseMs: number, staleValue?: string, group?: string) =>
    this.#run('lease', () => {
      const value = this.#read(key)
      if (value !== undefined && value !== staleValue) return { value }
      if (this.#now() < (this.#leases.get(key)?.until ?? 0)) return undefined
      const id = {}
      this.#leases.set(key, { id, until: this.#now() + leaseMs })
      this.#addTo(group, key)
      const holds = () => this.#leases.get(key)?.id === id && this.#now() < (this.#leases.get(key)?.until ?? 0)
      return {
        lease: {
          commit: (entry: string, ttlMs: number, group?: string) =>
            this.#run('commit', () => {
              if (!holds()) return false
              this.#leases.delete(key)
              this.#write(key, entry, ttlMs, group)
              return true
            }),
          release: () => this.#run('release', () => void (holds() && this.#leases.delete(key))),
        },
      }
    })

  #read(key: string): string | undefined {
    const entry = this.entries.get(key)
    return entry && this.#now() < entry.until ? entry.value : undefined
  }

  #write(key: string, value: string, ttlMs: number, group?: string): void {
    this.entries.set(key, { value, until: this.#now() + ttlMs })
    this.#addTo(group, key)
  }

  #addTo(group: string | undefined, key: string): void {
    if (group !== undefined) this.#groups.set(group, new Set(this.#groups.get(group)).add(key))
  }

  #run<T>(operation: string, run: () => T): T {
    this.asked.push(operation)
    return this.broken ? (this.broken() as T) : run()
  }
}
