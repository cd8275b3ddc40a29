import { CompactEncrypt, compactDecrypt } from 'jose'
import type { KeyRing } from './encryption-keys'
import { UndecryptableValue } from './undecryptable-value'

// Keeps a byte order mark, so that a value comes back unchanged.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true })

/** Encrypts what a store keeps under `storeKey`, as a compact JWE. */
export async function seal(ring: KeyRing, storeKey: string, value: string): Promise<string> {
  return (
    new CompactEncrypt(new TextEncoder().encode(value))
      // The protected header of a JWE is authenticated, so the ciphertext is only valid under this key of the store.
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid: ring.current.kid, store_key: storeKey })
      .encrypt(ring.current.key)
  )
}

/** @throws UndecryptableValue when `sealed` is not what {@link seal} made for this `storeKey` with one of the keys. */
export async function unseal(ring: KeyRing, storeKey: string, sealed: string): Promise<string> {
  try {
    const { plaintext, protectedHeader } = await compactDecrypt(
      sealed,
      ({ kid }) => {
        const key = ring.named(kid)
        if (!key) throw new UndecryptableValue(storeKey)
        return key
      },
      { keyManagementAlgorithms: ['dir'], contentEncryptionAlgorithms: ['A256GCM'] },
    )
    if (protectedHeader.store_key !== storeKey) throw new UndecryptableValue(storeKey)
    return decoder.decode(plaintext)
  } catch {
    // Without a cause: an error of a parser may quote its input.
    throw new UndecryptableValue(storeKey)
  }
}
