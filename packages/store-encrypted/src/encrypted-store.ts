import type { LeaseAnswer, StoreLease, TokenStore } from '@tokenward/core'
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
   * Hears of every value that cannot be decrypted. `get` throws the same error, which a token manager reports by
   * `storeFailed`; `lease` has no other way to tell, because it goes on and lets the caller replace the value.
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
      commit: async (value: string, ttlMs: number) => lease.commit(await seal(await ring(), key, value), ttlMs),
      release: () => lease.release(),
    })
  }

  const encrypted: TokenStore = {
    async get(key) {
      const sealed = await store.get(key)
      return sealed === undefined ? undefined : open(key, sealed)
    },
    async set(key, value, ttlMs) {
      await store.set(key, await seal(await ring(), key, value), ttlMs)
    },
    delete: (key) => store.delete(key),
  }
  if (!store.lease) return Object.freeze(encrypted)

  const lease: Lease = async (key, leaseMs, seen) => {
    // No two encryptions are alike, so the store cannot know the seen value again. It is judged here, and one that the
    // caller cannot use is asked past by the encryption that the store has.
    const first = await store.lease?.(key, leaseMs)
    const answer = await judged(key, first, seen)
    if (answer !== 'unusable') return answer
    const second = await store.lease?.(key, leaseMs, first?.value)
    const again = await judged(key, second, seen)
    return again === 'unusable' ? undefined : again
  }

  async function judged(
    key: string,
    answer: LeaseAnswer | undefined,
    seen: string | undefined,
  ): Promise<LeaseAnswer | undefined | 'unusable'> {
    if (answer?.lease) return { lease: sealingLease(key, answer.lease) }
    if (answer?.value === undefined) return undefined
    try {
      const value = await open(key, answer.value)
      return value === seen ? 'unusable' : { value }
    } catch (error) {
      if (error instanceof UndecryptableValue) return 'unusable'
      throw error
    }
  }

  return Object.freeze({ ...encrypted, lease })
}
