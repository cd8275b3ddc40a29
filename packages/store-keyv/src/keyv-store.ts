import type { TokenStore } from '@tokenward/core'
import type { KeyvClient } from './keyv-client'
import { KeyvStoreError } from './keyv-store-error'
import { watchKeyv } from './watched-keyv'

// Memcached takes a longer time to live for a date, in 1970. A token that is requested once a month costs nothing.
const LONGEST_TTL_MS = 30 * 24 * 60 * 60 * 1_000

/**
 * Keeps tokens in a Keyv. All processes with the same backend and namespace share them. The store has no lease. **Tokens are
 * stored in clear text**; `encryptedStore` of `@tokenward/store-encrypted` encrypts them.
 *
 * The `Keyv` (5.5 or later, or 6) belongs to the caller, who disconnects it. The store listens to its `error` event, because
 * that event is how a Keyv says that its backend failed. Entries expire after 30 days at most.
 *
 * @example
 * const tokens = createTokenManager({ clients, store: keyvStore(new Keyv({ store: new KeyvPostgres(uri) })) })
 *
 * @throws TypeError when `keyv` is not a Keyv
 */
export function keyvStore(keyv: KeyvClient): Readonly<TokenStore> {
  for (const method of ['getRaw', 'set', 'delete', 'on'] as const) {
    if (typeof keyv?.[method] !== 'function') {
      throw new TypeError(`keyvStore: keyv must be a Keyv (5.5 or later), which has the method ${method}`)
    }
  }
  const watched = watchKeyv(keyv)

  async function get(key: string): Promise<string | undefined> {
    // Not Keyv's `get`: in Keyv 5 it hides a failing backend completely.
    const entry = await watched.run('get', () => keyv.getRaw(key), isMissing)
    if (isMissing(entry)) return undefined
    const value = textOf(entry)
    if (value === undefined) throw new KeyvStoreError('get', 'invalid_entry')
    return value
  }

  async function set(key: string, value: string, ttlMs: number): Promise<void> {
    const ttl = Math.floor(Math.min(ttlMs, LONGEST_TTL_MS))
    // Keyv would keep the value for good.
    if (!(ttl > 0)) return remove(key)
    const kept = await watched.run('set', () => keyv.set(key, value, ttl), always)
    if (kept === false) throw new KeyvStoreError('set', 'not_kept')
  }

  async function remove(key: string): Promise<void> {
    // The result is false when there was nothing to delete, and also when the deletion failed.
    await watched.run('delete', () => keyv.delete(key), always)
  }

  return Object.freeze({ get, set, delete: remove })
}

/** The text of an entry; undefined when it is anything else. */
function textOf(entry: unknown): string | undefined {
  try {
    const { value } = Object(entry) as { value?: unknown }
    return typeof value === 'string' ? value : undefined
  } catch {
    return undefined
  }
}

const isMissing = (result: unknown) => result === undefined || result === null
const always = () => true
