import type { StoreLease, TokenStore } from '@tokenward/core'
import { type EncryptionKey, keyRing } from './encryption-keys'
import { seal, unseal } from './sealing'
import { UndecryptableValue } from './undecryptable-value'

/** Options of {@link encryptedStore}. */
export interface EncryptedStoreOptions {
  /**
   * The first one encrypts, all of them decrypt. To rotate: add the new key at the end everywhere, then move it to the
   * front everywhere, then remove the old one when what it encrypted has expired.
   */
  keys: readonly EncryptionKey[]
  /**
   * Hears of every value that cannot be decrypted. A token manager reports the same by `storeFailed`: `get` throws
   * the error, `lease` gives it beside the lease to replace the value.
   */
  onUndecryptable?: ((error: UndecryptableValue) => void) | undefined
}

type Lease = NonNullable<TokenStore['lease']>

/**
 * Encrypts what `store` keeps: a JWE (A256GCM) per value, bound to the key that it is kept under. It can lease when
 * `store` can.
 *
 * A value that cannot be decrypted (rubbish, another's key, another entry's) counts as none: `get` throws
 * {@link UndecryptableValue}, `lease` gives a lease for it.
 *
 * @throws TypeError when a key is not of 32 bytes, naming every such key and none of its content.
 */
export function encryptedStore(store: TokenStore, options: EncryptedStoreOptions): TokenStore {
  for (const method of ['get', 'set', 'delete'] as const) {
    if (typeof store?.[method] !== 'function')
      throw new TypeError(`encryptedStore: store must have the method ${method}`)
  }
  const { keys, onUndecryptable } = options
  const ring = keyRing(keys)

  async function open(key: string, sealed: string): Promise<string> {
    try {
      return await unseal(await ring(), key, sealed)
    } catch (error) {
      if (error instanceof UndecryptableValue) onUndecryptable?.(error)
      throw error
    }
  }

  function sealingLease(key: string, lease: StoreLease): StoreLease {
    return Object.freeze({
      commit: async (value: string, ttlMs: number, ...group: [string?]) =>
        lease.commit(await seal(await ring(), key, value), ttlMs, ...group),
      release: () => lease.release(),
    })
  }

  const encrypted: TokenStore = {
    async get(key) {
      const sealed = await store.get(key)
      return sealed === undefined ? undefined : open(key, sealed)
    },
    async set(key, value, ttlMs, ...group) {
      await store.set(key, await seal(await ring(), key, value), ttlMs, ...group)
    },
    delete: (key) => store.delete(key),
    ...(store.deleteGroup && { deleteGroup: (group: string) => store.deleteGroup?.(group) }),
  }
  if (!store.lease) return Object.freeze(encrypted)

  const lease: Lease = async (key, leaseMs, staleValue) => {
    // No two encryptions are alike, so the store cannot know the seen value again. It is judged here, and one that the
    // caller cannot use is asked past by the encryption that the store has.
    const first = await store.lease?.(key, leaseMs)
    if (first?.value === undefined) return first?.lease && { lease: sealingLease(key, first.lease) }
    const { value, unreadable } = await read(key, first.value)
    if (value !== undefined && value !== staleValue) return { value }
    let second = await store.lease?.(key, leaseMs, first.value)
    if (second?.value === first.value && unreadable) {
      // The store does not know it again, because it is no text, say. It goes, so that it can be replaced.
      await store.delete(key)
      second = await store.lease?.(key, leaseMs)
    }
    if (second?.lease) return { lease: sealingLease(key, second.lease), unreadable }
    if (second?.value === undefined) return undefined
    const newer = await read(key, second.value)
    return newer.value === undefined || newer.value === staleValue ? undefined : { value: newer.value }
  }

  async function read(key: string, sealed: string): Promise<{ value?: string; unreadable?: UndecryptableValue }> {
    try {
      return { value: await open(key, sealed) }
    } catch (error) {
      if (error instanceof UndecryptableValue) return { unreadable: error }
      throw error
    }
  }

  return Object.freeze({ ...encrypted, lease })
}
