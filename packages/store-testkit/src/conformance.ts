import type { TokenStore } from '@tokenward/core'

/** What every group of tests gets. */
export interface Conformance {
  /** Registers a test, which gets a store and a function that makes keys. */
  readonly check: (name: string, body: (store: TokenStore, newKey: () => string) => Promise<void>) => void
  readonly shortestTtlMs: number
  /** Waits until an entry that was kept for `shortestTtlMs` must have expired. */
  readonly outlast: () => Promise<void>
}

/** A time to live that outlasts a test, in milliseconds. */
export const MINUTE = 60_000
