/** A key of 256 bits: 32 bytes, or a JWK of type `oct` (`k` in base64url) that holds 32 bytes. */
export type EncryptionKey = Uint8Array | { readonly kty: 'oct'; readonly k: string }

/** The keys of a store. */
export interface KeyRing {
  /** Encrypts, and decrypts too. */
  readonly current: NamedKey
  /** The key of that name; undefined when it is not one of these keys. */
  named(kid: unknown): CryptoKey | undefined
}

interface NamedKey {
  readonly kid: string
  readonly key: CryptoKey
}

const KEY_BYTES = 32

/**
 * Checks keys, and imports them so that they cannot be read back.
 *
 * @throws TypeError at once. It names every key that is wrong, and nothing of its content.
 */
export function keyRing(keys: readonly EncryptionKey[]): () => Promise<KeyRing> {
  if (!Array.isArray(keys) || keys.length === 0) {
    throw new TypeError('encryptedStore: keys must be an array of at least one key')
  }
  const problems: string[] = []
  const secrets = keys.flatMap((key, index) => {
    const bytes = bytesOf(key)
    if (bytes?.length === KEY_BYTES) return [bytes]
    const instead = bytes ? `, not ${bytes.length}` : ''
    problems.push(`keys[${index}] must be ${KEY_BYTES} bytes${instead}: a Uint8Array, or a JWK of type oct`)
    return []
  })
  if (problems.length > 0) throw new TypeError(`encryptedStore: ${problems.join('; ')}`)

  // Imported now, because the caller may change the arrays later.
  const ring = Promise.all(secrets.map(namedKey)).then(([current, ...previous]): KeyRing => {
    if (!current) throw new TypeError('encryptedStore: no key')
    const byName = new Map([current, ...previous].map(({ kid, key }) => [kid, key]))
    return { current, named: (kid) => (typeof kid === 'string' ? byName.get(kid) : undefined) }
  })
  // Prevents an unhandled rejection when the store is never used.
  ring.catch(() => undefined)
  return () => ring
}

function bytesOf(key: unknown): Uint8Array<ArrayBuffer> | undefined {
  // A copy, because a Buffer may be part of a pool that is used again.
  if (key instanceof Uint8Array) return new Uint8Array(key)
  if (typeof key !== 'object' || key === null || !('kty' in key) || key.kty !== 'oct') return undefined
  if (!('k' in key) || typeof key.k !== 'string' || !/^[\w-]+$/.test(key.k)) return undefined
  const base64 = key.k.replaceAll('-', '+').replaceAll('_', '/')
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
  } catch {
    return undefined
  }
}

async function namedKey(secret: Uint8Array<ArrayBuffer>): Promise<NamedKey> {
  const [key, naming] = await Promise.all([
    crypto.subtle.importKey('raw', secret, 'AES-GCM', false, ['encrypt', 'decrypt']),
    crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']),
  ])
  secret.fill(0)
  // An HMAC and not a digest of the key: with a digest, a reader of the store could test guesses of the key against its name.
  const mac = await crypto.subtle.sign('HMAC', naming, new TextEncoder().encode('tokenward key name'))
  const kid = Array.from(new Uint8Array(mac, 0, 8), (byte) => byte.toString(16).padStart(2, '0')).join('')
  return { kid, key }
}
