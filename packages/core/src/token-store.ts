/** A value, or a promise of it. */
export type Awaitable<T> = T | Promise<T>

/**
 * Where tokens are kept beside this process's own copies: shared by all instances, or on disk. Three methods are a
 * store. Keys are SHA-256 digests in hexadecimal; values are strings that hold **an access token in clear text**.
 *
 * A method may fail or be slow: that counts as a miss, is reported (`storeFailed`), and calls go on without it.
 */
export interface TokenStore {
  /** The value under `key`; undefined when there is none or its time is over. */
  get(key: string): Awaitable<string | undefined>
  /** Keeps `value` under `key` for `ttlMs` milliseconds, in place of any other. */
  set(key: string, value: string, ttlMs: number): Awaitable<void>
  /** Forgets `key`; no error when there is none. */
  delete(key: string): Awaitable<void>
}
