/** A value, or a promise of it. */
export type Awaitable<T> = T | Promise<T>

/**
 * Where tokens are kept in addition to the memory of this process: shared by all instances, or on disk. A store needs
 * three methods. It declares what else it can do by having the method. Keys are SHA-256 digests in hexadecimal. Values
 * are strings that hold **an access token in clear text**.
 *
 * A method may fail or be slow. That counts as a miss and is reported (`storeFailed`), and calls go on without the store.
 * An error should have a `code` (a short string such as `ECONNREFUSED`): it becomes the `reason` of `storeFailed`.
 */
export interface TokenStore {
  /** The value under `key`; undefined when there is none or it has expired. */
  get(key: string): Awaitable<string | undefined>
  /**
   * Keeps `value` under `key` for `ttlMs` milliseconds and replaces any other value. `group` is only passed to stores that
   * have `deleteGroup`. It is a SHA-256 digest too, and the same for all tokens of one client.
   */
  set(key: string, value: string, ttlMs: number, group?: string): Awaitable<void>
  /** Deletes `key` and ends a lease on it. Deleting a key that does not exist is no error. */
  delete(key: string): Awaitable<void>
  /**
   * Lets one process of a fleet renew a token while the others wait. In one atomic step it returns the first of these that
   * applies:
   *
   * 1. the value under `key`, unless it is `staleValue`: a value that the caller has read and cannot use
   * 2. a lease of `leaseMs` milliseconds for this caller
   * 3. undefined, because another caller holds the lease
   *
   * A store that has `deleteGroup` is passed the `group` too, so that deleting the group ends the lease.
   */
  lease?(key: string, leaseMs: number, staleValue?: string, group?: string): Awaitable<LeaseResult | undefined>
  /** Does what `delete` does, for every key that any process has set or leased in this `group`. */
  deleteGroup?(group: string): Awaitable<void>
}

/** What a process that wants to renew a token gets from the store. */
export type LeaseResult =
  /** Another process has renewed the token already. */
  | { readonly value: string; readonly lease?: undefined }
  /**
   * This process renews the token. `unreadable` says why the value that is in the store could not be read; it counts as
   * missing.
   */
  | { readonly lease: StoreLease; readonly value?: undefined; readonly unreadable?: Error | undefined }

/** The right of one process to renew the value under a key. It ends by itself after its time. */
export interface StoreLease {
  /**
   * Keeps `value` for `ttlMs` milliseconds, in `group`, and ends the lease. Returns false and keeps nothing when the lease
   * has ended or another process holds it now: a late process must not overwrite a newer value.
   */
  commit(value: string, ttlMs: number, group?: string): Awaitable<boolean>
  /** Ends the lease without a value, so that another process can try. No error when the lease has ended already. */
  release(): Awaitable<void>
}
