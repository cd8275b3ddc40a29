import type { LeaseResult, StoreLease, TokenStore } from '@tokenward/core'
import { type EncryptionKey, keyRing } from './encryption-keys'
import { seal, unseal } from './sealing'
import { UndecryptableValue } from './undecryptable-value'

/** Options of {@link encryptedStore}. */
export interface EncryptedStoreOptions {
  /**
   * The first key encrypts, and all of them decrypt. To rotate: add the new key at the end in every process, then move it to the
   * front in every process, then remove the old key when everything that it encrypted has expired.
   */
  keys: readonly EncryptionKey[]
  /**
   * Called for each value that cannot be decrypted. What it throws, or rejects with, is ignored. A token manager reports the same
   * by `storeFailed`, with the reason `undecryptable_value`.
   */
  onUndecryptable?: ((error: UndecryptableValue) => unknown) | undefined
}

/** What the inner store has under a key. */
type OpenedValue =
  | { readonly state: 'readable'; readonly value: string }
  | { readonly state: 'undecryptable'; readonly error: UndecryptableValue }

/**
 * Encrypts what `store` keeps: each value is a JWE (A256GCM), bound to the key that it is stored under. It has leases and groups
 * when `store` has them.
 *
 * A value that cannot be decrypted counts as missing: rubbish, a value under another encryption key, a value that was moved from
 * another key of the store. `get` throws {@link UndecryptableValue}, and `lease` grants a lease to replace the value.
 *
 * @example
 * const store = encryptedStore(redisStore(redis), { keys: [currentKey, previousKey] })
 *
 * @throws TypeError when a key does not have 32 bytes. It names every such key, and nothing of its content.
 */
export function encryptedStore(store: TokenStore, options: EncryptedStoreOptions): TokenStore {
  for (const method of ['get', 'set', 'delete'] as const) {
    if (typeof store?.[method] !== 'function')
      throw new TypeError(`encryptedStore: store must have the method ${method}`)
  }
  const { keys, onUndecryptable } = options
  const ring = keyRing(keys)

  async function open(key: string, sealed: string): Promise<OpenedValue> {
    try {
      return { state: 'readable', value: await unseal(await ring(), key, sealed) }
    } catch (error) {
      if (!(error instanceof UndecryptableValue)) throw error
      notify(onUndecryptable, error)
      return { state: 'undecryptable', error }
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
      if (sealed === undefined || sealed === null) return undefined
      const opened = await open(key, sealed)
      if (opened.state === 'undecryptable') throw opened.error
      return opened.value
    },
    async set(key, value, ttlMs, ...group) {
      await store.set(key, await seal(await ring(), key, value), ttlMs, ...group)
    },
    delete: (key) => store.delete(key),
    ...(store.deleteGroup && { deleteGroup: (group: string) => store.deleteGroup?.(group) }),
  }
  if (!store.lease) return Object.freeze(encrypted)

  /** The inner store's result, and what its value is when it is opened. */
  async function ask(key: string, leaseMs: number, staleSealed: string | undefined, group: [string?]) {
    const result = (await store.lease?.(key, leaseMs, staleSealed, ...group)) ?? undefined
    if (result?.lease) return { lease: result.lease, unreadable: result.unreadable }
    // A store may return null where it has no value.
    const sealed = result?.value ?? undefined
    const opened = sealed === undefined || sealed === staleSealed ? undefined : await open(key, sealed)
    return { sealed, opened }
  }

  /**
   * Two encryptions of the same value differ, so the inner store cannot recognise `staleValue`. The first round gets the sealed
   * value. When the caller cannot use it, the second round asks for a lease with the sealed value as the stale one.
   */
  async function lease(
    key: string,
    leaseMs: number,
    staleValue?: string,
    ...group: [string?]
  ): Promise<LeaseResult | undefined> {
    const first = await ask(key, leaseMs, undefined, group)
    if (first.lease) return { lease: sealingLease(key, first.lease), unreadable: first.unreadable }
    if (!first.opened) return undefined
    if (first.opened.state === 'readable' && first.opened.value !== staleValue) return { value: first.opened.value }

    let second = await ask(key, leaseMs, first.sealed, group)
    const isUndecryptable = first.opened.state === 'undecryptable'
    if (isUndecryptable && second.sealed === first.sealed) {
      // The inner store does not recognise the value, because it is not text, for example. Delete it so that it is replaced.
      await store.delete(key)
      second = await ask(key, leaseMs, undefined, group)
    }
    if (second.lease) {
      const unreadable = first.opened.state === 'undecryptable' ? first.opened.error : second.unreadable
      return { lease: sealingLease(key, second.lease), unreadable }
    }
    if (second.opened?.state !== 'readable' || second.opened.value === staleValue) return undefined
    return { value: second.opened.value }
  }

  return Object.freeze({ ...encrypted, lease })
}

/** The listener is the caller's: what goes wrong in it must not keep the value from being replaced, nor end the process. */
function notify(listener: EncryptedStoreOptions['onUndecryptable'], error: UndecryptableValue): void {
  try {
    Promise.resolve(listener?.(error)).catch(() => {})
  } catch {}
}
