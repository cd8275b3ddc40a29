import type { StoreLease, TokenStore } from '@tokenward/core'

/** A small store of values and leases that does what it should, from which each test takes something away. */
export class LeasingStore implements TokenStore {
  readonly values = new Map<string, { value: string; until: number }>()
  readonly holders = new Map<string, { id: symbol; until: number }>()

  get(key: string): string | undefined {
    const entry = this.values.get(key)
    return entry && entry.until > performance.now() ? entry.value : undefined
  }

  set(key: string, value: string, ttlMs: number): void {
    this.values.set(key, { value, until: performance.now() + ttlMs })
  }

  delete(key: string): void {
    this.values.delete(key)
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
      commit: (value: string, ttlMs: number) => {
        if (!this.holds(key, id)) return false
        this.set(key, value, ttlMs)
        this.holders.delete(key)
        return true
      },
      release: () => {
        if (this.holds(key, id)) this.holders.delete(key)
      },
    }
  }
}
