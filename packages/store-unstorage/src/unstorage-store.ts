import type { TokenStore } from '@tokenward/core'
import { createEnvelope, readEnvelope } from './envelope'
import type { UnstorageClient } from './unstorage-client'
import { withoutValues } from './unstorage-store-error'

/** Options of {@link unstorageStore}. */
export interface UnstorageStoreOptions {
  /** What every key begins with; `:` and `/` separate folders. No `?` and no `..`. Default `tokenward:`. */
  keyPrefix?: string | undefined
  /** The time, milliseconds since 1970. Default `Date.now`. */
  now?: (() => number) | undefined
}

// Longer than any token is of use, and short enough for what any backend counts in.
const LONGEST_TTL_MS = 365 * 24 * 60 * 60 * 1_000

/**
 * Keeps tokens in an unstorage `Storage`: every process with the same backend shares them. It cannot lease. **Tokens are
 * there in clear text**; `encryptedStore` of `@tokenward/store-encrypted` changes that.
 *
 * Works with any driver, whether it knows a time to live or not. The `Storage` is the caller's, who disposes of it as
 * well. An entry under one of the keys that this store has not kept is an error of `get`, with the code `invalid_entry`.
 *
 * @throws TypeError when `storage` is no Storage, or an option is wrong.
 */
export function unstorageStore(storage: UnstorageClient, options: UnstorageStoreOptions = {}): Readonly<TokenStore> {
  const { keyPrefix = 'tokenward:', now = Date.now } = options
  for (const method of ['getItem', 'setItem', 'removeItem'] as const) {
    if (typeof storage?.[method] !== 'function') {
      throw new TypeError(`unstorageStore: storage must be a Storage of unstorage, which has the method ${method}`)
    }
  }
  // unstorage drops what follows a question mark: all tokens would have one key.
  if (typeof keyPrefix !== 'string' || /\?|(^|[:/\\])\.\.?[:/\\]/.test(keyPrefix)) {
    throw new TypeError('unstorageStore: keyPrefix must be a string without ? and without . or .. between separators')
  }
  if (typeof now !== 'function') throw new TypeError('unstorageStore: now must be a function')
  const itemKey = (key: string) => `${keyPrefix}${key}`

  async function get(key: string): Promise<string | undefined> {
    const entry = await storage.getItem(itemKey(key))
    if (entry === null || entry === undefined) return undefined
    // What the fs driver cannot read, it gives back as the error.
    if (entry instanceof Error) throw entry
    const envelope = await readEnvelope(entry)
    if (!envelope) throw Object.assign(new Error(), { code: 'invalid_entry' })
    if (envelope.expiresAt > now()) return envelope.value
    await storage.removeItem(itemKey(key))
    return undefined
  }

  async function set(key: string, value: string, ttlMs: number): Promise<void> {
    const ttl = Math.floor(Math.min(ttlMs, LONGEST_TTL_MS))
    if (!(ttl > 0)) return storage.removeItem(itemKey(key))
    const envelope = await createEnvelope(value, now() + ttl)
    // In seconds; the envelope sees to the rest.
    await storage.setItem(itemKey(key), envelope, { ttl: Math.ceil(ttl / 1_000) })
  }

  return Object.freeze({
    get: (key: string) => withoutValues('get', () => get(key)),
    set: (key: string, value: string, ttlMs: number) => withoutValues('set', () => set(key, value, ttlMs)),
    delete: (key: string) => withoutValues('delete', () => storage.removeItem(itemKey(key))),
  })
}
