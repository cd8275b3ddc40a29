import type { StoreLease, TokenStore } from '@tokenward/core'

/** A small store of values, leases and groups that does what it should, from which each test takes something away. */
export class LeasingStore implements TokenStore {
  readonly values = new Map<string, { value: string; until: number }>()
  readonly holders = new Map<string, { id: symbol; until: number }>()
  readonly groups = new Map<string, Set<string>>()

  get(key: string): string | undefined {
    const entry = this.values.get(key)
    return entry && entry.until > performance.now() ? entry.value : undefined
  }

  set(key: string, value: string, ttlMs: number, group?: string): void {
    this.values.set(key, { value, until: performance.now() + ttlMs })
    if (group) this.groups.set(group, new Set(this.groups.get(group)).add(key))
  }

  delete(key: string): void {
    this.values.delete(key)
    this.holders.delete(key)
  }

  deleteGroup(group: string): void {
    for (const key of this.groups.get(group) ?? []) this.delete(key)
    this.groups.delete(group)
  }

  lease(key: string, leaseMs: number, seen?: string) {
    const value = this.get(key)
    if (value !== undefined && value !== seen) return { value }
    if (this.isLeased(key)) return undefined
    const id = Symbol()
    this.holders.set(key, { id, until: performance.now() + leaseMs })
    return { lease: this.held(key, id) }
  }

  isLeased(key: string): boolean {
    return (this.holders.get(key)?.until ?? 0) > performance.now()
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
