/** A value, or a promise of it. */
export type Awaitable<T> = T | Promise<T>

/**
 * Where tokens are kept beside this process's own copies: shared by all instances, or on disk. Three methods are a
 * store; what it can do beyond that, it declares by having the method. Keys are SHA-256 digests in hexadecimal; values
 * are strings that hold **an access token in clear text**.
 *
 * A method may fail or be slow: that counts as a miss, is reported (`storeFailed`), and calls go on without it.
 */
export interface TokenStore {
  /** The value under `key`; undefined when there is none or its time is over. */
  get(key: string): Awaitable<string | undefined>
  /**
   * Keeps `value` under `key` for `ttlMs` milliseconds, in place of any other. `group` is for stores that have
   * `deleteGroup`: a SHA-256 as well, the same for all tokens of one client.
   */
  set(key: string, value: string, ttlMs: number, group?: string): Awaitable<void>
  /** Forgets `key`, and ends a lease on it; no error when there is none. */
  delete(key: string): Awaitable<void>
  /**
   * Lets one process of a fleet renew while the others wait. Atomically: the value under `key`, when there is one and
   * it is not `seen` (one that the caller has had and cannot use); else a lease of `leaseMs` milliseconds for this
   * caller; else, while somebody else holds the lease, undefined.
   */
  lease?(key: string, leaseMs: number, seen?: string): Awaitable<LeaseAnswer | undefined>
  /** Does what `delete` does to every key that was kept with this `group`, by whatever process. */
  deleteGroup?(group: string): Awaitable<void>
}

/** What a store answers to a process that wants to renew. */
export type LeaseAnswer =
  /** Somebody has renewed already. */
  | { readonly value: string; readonly lease?: undefined }
  /** The caller is the one to renew. `unreadable`: what went wrong with the value that is there and counts as none. */
  | { readonly lease: StoreLease; readonly value?: undefined; readonly unreadable?: Error | undefined }

/** The right of one process to renew the value under a key. It ends by itself. */
export interface StoreLease {
  /**
   * Keeps `value` for `ttlMs` milliseconds, in `group`, and ends the lease. False, and nothing is kept, when the lease had passed to
   * somebody else or ended: who comes late must not overwrite what is newer.
   */
  commit(value: string, ttlMs: number, group?: string): Awaitable<boolean>
  /** Ends the lease without a value, so that somebody else may try; no error when it had ended. */
  release(): Awaitable<void>
}
