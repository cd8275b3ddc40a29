import type { LeaseResult, StoreLease } from '@tokenward/core'
import { LeasingStore as PlainLeasingStore } from '@tokenward/test-support'

/** A store with leases and groups by the test's clock. It records its calls, and can be broken. */
export class LeasingStore extends PlainLeasingStore {
  /** The operations that were called, in order. */
  readonly asked: string[] = []
  /** What each call does instead, while it is set. */
  broken: (() => unknown) | undefined

  get entries() {
    return this.values
  }

  get leaseCount(): number {
    return [...this.holders.keys()].filter((key) => this.isLeased(key)).length
  }

  override get = (key: string): string | undefined => this.#run('get', () => super.get(key))
  override set = (key: string, value: string, ttlMs: number, group?: string): void =>
    this.#run('set', () => super.set(key, value, ttlMs, group))
  override delete = (key: string): void => this.#run('delete', () => super.delete(key))
  override deleteGroup = (group: string): void => this.#run('deleteGroup', () => super.deleteGroup(group))
  override lease = (key: string, leaseMs: number, staleValue?: string, group?: string): LeaseResult | undefined =>
    this.#run('lease', () => super.lease(key, leaseMs, staleValue, group))

  override held(key: string, id: symbol): StoreLease {
    const lease = super.held(key, id)
    return {
      commit: (value, ttlMs, group) => this.#run('commit', () => lease.commit(value, ttlMs, group)),
      release: () => this.#run('release', () => lease.release()),
    }
  }

  #depth = 0

  #run<T>(operation: string, run: () => T): T {
    // The store's methods call each other; only the calls from outside count.
    if (this.#depth > 0) return run()
    this.asked.push(operation)
    if (this.broken) return this.broken() as T
    this.#depth++
    try {
      return run()
    } finally {
      this.#depth--
    }
  }
}
