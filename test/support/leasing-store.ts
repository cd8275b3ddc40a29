import type { Awaitable, LeaseResult, StoreLease, TokenStore } from '@tokenward/core'

/**
 * A complete store in memory, with leases and groups. A test can set its clock, make it fail, replace one of its
 * methods, and see which operations were called.
 */
export class LeasingStore implements Required<TokenStore> {
  readonly values = new Map<string, { value: string; until: number }>()
  readonly holders = new Map<string, { id: symbol; until: number }>()
  readonly groups = new Map<string, Set<string>>()
  /** The operations that were called, in order. */
  readonly calls: string[] = []
  /** While this is set, every operation returns what it returns (a rejected promise, for example) and does nothing else. */
  broken: (() => unknown) | undefined
  readonly #now: () => number

  /** `now` returns the time in milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** How many leases are held at this moment. */
  get leaseCount(): number {
    return [...this.holders.keys()].filter((key) => this.isLeased(key)).length
  }

  get(key: string): string | undefined {
    return this.#run('get', () => this.#read(key))
  }

  set(key: string, value: string, ttlMs: number, group?: string): Awaitable<void> {
    return this.#run('set', () => this.#write(key, value, ttlMs, group))
  }

  delete(key: string): Awaitable<void> {
    return this.#run('delete', () => this.#remove(key))
  }

  deleteGroup(group: string): Awaitable<void> {
    return this.#run('deleteGroup', () => {
      for (const key of this.groups.get(group) ?? []) this.#remove(key)
      this.groups.delete(group)
    })
  }

  lease(key: string, leaseMs: number, staleValue?: string, group?: string): LeaseResult | undefined {
    return this.#run('lease', () => {
      const value = this.#read(key)
      if (value !== undefined && value !== staleValue) return { value }
      if (this.isLeased(key)) return undefined
      const id = Symbol()
      this.holders.set(key, { id, until: this.#now() + leaseMs })
      this.#join(group, key)
      return { lease: this.held(key, id) }
    })
  }

  isLeased(key: string): boolean {
    return (this.holders.get(key)?.until ?? 0) > this.#now()
  }

  holds(key: string, id: symbol): boolean {
    return this.isLeased(key) && this.holders.get(key)?.id === id
  }

  /** The lease on `key` that `id` identifies. */
  held(key: string, id: symbol): StoreLease {
    return {
      commit: (value, ttlMs, group) =>
        this.#run('commit', () => {
          if (!this.holds(key, id)) return false
          this.#write(key, value, ttlMs, group)
          this.holders.delete(key)
          return true
        }),
      release: () =>
        this.#run('release', () => {
          if (this.holds(key, id)) this.holders.delete(key)
        }),
    }
  }

  #read(key: string): string | undefined {
    const entry = this.values.get(key)
    return entry && entry.until > this.#now() ? entry.value : undefined
  }

  #write(key: string, value: string, ttlMs: number, group: string | undefined): void {
    this.values.set(key, { value, until: this.#now() + ttlMs })
    this.#join(group, key)
  }

  #remove(key: string): void {
    this.values.delete(key)
    this.holders.delete(key)
  }

  #join(group: string | undefined, key: string): void {
    if (group !== undefined) this.groups.set(group, new Set(this.groups.get(group)).add(key))
  }

  #run<T>(operation: string, run: () => T): T {
    this.calls.push(operation)
    return this.broken ? (this.broken() as T) : run()
  }
}
