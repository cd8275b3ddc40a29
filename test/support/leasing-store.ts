import type { LeaseResult, StoreLease, TokenStore } from '@tokenward/core'

/** A small store in memory with leases and groups. Tests override one of its methods to break it. */
export class LeasingStore implements TokenStore {
  readonly values = new Map<string, { value: string; until: number }>()
  readonly holders = new Map<string, { id: symbol; until: number }>()
  readonly groups = new Map<string, Set<string>>()
  readonly #now: () => number

  /** @param now the time, in milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  get(key: string): string | undefined {
    const entry = this.values.get(key)
    return entry && entry.until > this.#now() ? entry.value : undefined
  }

  set(key: string, value: string, ttlMs: number, group?: string): void {
    this.values.set(key, { value, until: this.#now() + ttlMs })
    this.addToGroup(group, key)
  }

  addToGroup(group: string | undefined, key: string): void {
    if (group !== undefined) this.groups.set(group, new Set(this.groups.get(group)).add(key))
  }

  delete(key: string): void {
    this.values.delete(key)
    this.holders.delete(key)
  }

  deleteGroup(group: string): void {
    for (const key of this.groups.get(group) ?? []) this.delete(key)
    this.groups.delete(group)
  }

  lease(key: string, leaseMs: number, staleValue?: string, group?: string): LeaseResult | undefined {
    const value = this.get(key)
    if (value !== undefined && value !== staleValue) return { value }
    if (this.isLeased(key)) return undefined
    const id = Symbol()
    this.holders.set(key, { id, until: this.#now() + leaseMs })
    this.addToGroup(group, key)
    return { lease: this.held(key, id) }
  }

  isLeased(key: string): boolean {
    return (this.holders.get(key)?.until ?? 0) > this.#now()
  }

  holds(key: string, id: symbol): boolean {
    return this.isLeased(key) && this.holders.get(key)?.id === id
  }

  held(key: string, id: symbol): StoreLease {
    return {
      commit: (value: string, ttlMs: number, group?: string) => {
        if (!this.holds(key, id)) return false
        this.set(key, value, ttlMs, group)
        this.holders.delete(key)
        return true
      },
      release: () => {
        if (this.holds(key, id)) this.holders.delete(key)
      },
    }
  }
}
