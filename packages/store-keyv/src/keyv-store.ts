import type { TokenStore } from '@tokenward/core'
import type { KeyvClient } from './keyv-client'
import { KeyvStoreError } from './keyv-store-error'
import { watchKeyv } from './watched-keyv'

// Memcached takes a longer time for a date, one in 1970. No token manager misses a token after a month.
const LONGEST_TTL_MS = 30 * 24 * 60 * 60 * 1_000

/**
 * Keeps tokens where a Keyv keeps its values: every process with the same backend and namespace shares them. It cannot
 * lease. **Tokens are there in clear text**; `encryptedStore` of `@tokenward/store-encrypted` changes that.
 *
 * The `Keyv` (5.5 or later, or 6) is the caller's, who disconnects it as well. The store listens to its `error` event,
 * which tells it what Keyv itself does not: that a backend failed. Entries leave after 30 days at most.
 *
 * @throws TypeError when `keyv` is no Keyv.
 */
export function keyvStore(keyv: KeyvClient): Readonly<TokenStore> {
  for (const method of ['getRaw', 'set', 'delete', 'on'] as const) {
    if (typeof keyv?.[method] !== 'function') {
      throw new TypeError(`keyvStore: keyv must be a Keyv (5.5 or later), which has the method ${method}`)
    }
  }
  const watched = watchKeyv(keyv)

  async function get(key: string): Promise<string | undefined> {
    // Not Keyv's `get`: in Keyv 5 that one swallows a failing backend without a word.
    const entry = await watched.run('get', () => keyv.getRaw(key), isNothing)
    if (isNothing(entry)) return undefined
    const { value } = entry as { value?: unknown }
    if (typeof value !== 'string') throw new KeyvStoreError('get', { code: 'invalid_entry' })
    return value
  }

  async function set(key: string, value: string, ttlMs: number): Promise<void> {
    const ttl = Math.floor(Math.min(ttlMs, LONGEST_TTL_MS))
    // Keyv would keep it for good.
    if (!(ttl > 0)) return remove(key)
    const kept = await watched.run('set', () => keyv.set(key, value, ttl), always)
    if (kept === false) throw new KeyvStoreError('set', { code: 'not_kept' })
  }

  async function remove(key: string): Promise<void> {
    // False says that there was nothing, or that it failed.
    await watched.run('delete', () => keyv.delete(key), always)
  }

  return Object.freeze({ get, set, delete: remove })
}

const isNothing = (answer: unknown) => answer === undefined || answer === null
const always = () => true
