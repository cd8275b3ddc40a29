import type { TokenStore } from '@tokenward/core'
import { createEnvelope, readEnvelope } from './envelope'
import type { UnstorageClient } from './unstorage-client'
import { UnstorageStoreError, withoutValues } from './unstorage-store-error'

/** Options of {@link unstorageStore}. */
export interface UnstorageStoreOptions {
  /** The beginning of every key; `:` and `/` separate folders. It must not contain `?` or `..`. Default `tokenward:`. */
  keyPrefix?: string | undefined
  /** The time, in milliseconds since 1970. Default `Date.now`. */
  now?: (() => number) | undefined
}

// Longer than any token is useful, and short enough for the counters of every backend.
const LONGEST_TTL_MS = 365 * 24 * 60 * 60 * 1_000

/**
 * Keeps tokens in an unstorage `Storage`. All processes with the same backend share them. The store has no lease. **Tokens are
 * stored in clear text**; `encryptedStore` of `@tokenward/store-encrypted` encrypts them.
 *
 * It works with any driver, with or without a time to live. The `Storage` belongs to the caller, who disposes of it. When an
 * entry was not written by this store, `get` throws an error with the code `invalid_entry`.
 *
 * @example
 * const tokens = createTokenManager({ clients, store: unstorageStore(createStorage({ driver })) })
 *
 * @throws TypeError when `storage` is not a Storage, or an option is wrong
 */
export function unstorageStore(storage: UnstorageClient, options: UnstorageStoreOptions = {}): Readonly<TokenStore> {
  const { keyPrefix = 'tokenward:', now = Date.now } = options
  for (const method of ['getItem', 'setItem', 'removeItem'] as const) {
    if (typeof storage?.[method] !== 'function') {
      throw new TypeError(`unstorageStore: storage must be a Storage of unstorage, which has the method ${method}`)
    }
  }
  // unstorage ignores everything after a question mark: all tokens would have the same key.
  if (typeof keyPrefix !== 'string' || /\?|(^|[:/\\])\.\.?[:/\\]/.test(keyPrefix)) {
    throw new TypeError('unstorageStore: keyPrefix must be a string without ? and without . or .. between separators')
  }
  if (typeof now !== 'function') throw new TypeError('unstorageStore: now must be a function')
  const itemKey = (key: string) => `${keyPrefix}${key}`

  async function get(key: string): Promise<string | undefined> {
    const entry = await storage.getItem(itemKey(key))
    if (entry === null || entry === undefined) return undefined
    // The fs driver returns the error when it cannot read a file.
    if (entry instanceof Error) throw entry
    const envelope = await readEnvelope(entry)
    if (!envelope) throw new UnstorageStoreError('get', 'invalid_entry')
    if (envelope.expiresAt > now()) return envelope.value
    await storage.removeItem(itemKey(key))
    return undefined
  }

  async function set(key: string, value: string, ttlMs: number): Promise<void> {
    const ttl = Math.floor(Math.min(ttlMs, LONGEST_TTL_MS))
    if (!(ttl > 0)) return storage.removeItem(itemKey(key))
    const envelope = await createEnvelope(value, now() + ttl)
    // Drivers count in whole seconds. The envelope has the exact time.
    await storage.setItem(itemKey(key), envelope, { ttl: Math.ceil(ttl / 1_000) })
  }

  return Object.freeze({
    get: (key: string) => withoutValues('get', () => get(key)),
    set: (key: string, value: string, ttlMs: number) => withoutValues('set', () => set(key, value, ttlMs)),
    delete: (key: string) => withoutValues('delete', () => storage.removeItem(itemKey(key))),
  })
}
