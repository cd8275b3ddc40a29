import { CompactEncrypt, compactDecrypt } from 'jose'
import type { KeyRing } from './encryption-keys'
import { UndecryptableValue } from './undecryptable-value'

// The byte order mark stays: a value comes back as it was.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true })

/** Encrypts what a store keeps under `storeKey`, as a compact JWE. */
export async function seal(ring: KeyRing, storeKey: string, value: string): Promise<string> {
  return (
    new CompactEncrypt(new TextEncoder().encode(value))
      // A JWE's protected header is its additional authenticated data, so the ciphertext counts under this key only.
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
    // Not as a cause: what parsers throw may quote what they were given.
    throw new UndecryptableValue(storeKey)
  }
}
