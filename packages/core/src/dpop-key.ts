import type { CryptoKey, JWK } from 'jose'

/** A private key and its public key, as WebCrypto makes them. */
export interface KeyPair {
  readonly privateKey: CryptoKey
  /** It has to be extractable, because every proof contains it. */
  readonly publicKey: CryptoKey
}

/** The key that a client's tokens are bound to (RFC 9449). */
export interface DPoPOptions {
  /** Use the same key in every instance, so that a fleet can share tokens. A JWK has to be a private key. */
  readonly key: KeyPair | JWK
  /**
   * The JWS algorithm: ES256, ES384, ES512, Ed25519, RS256 to RS512 or PS256 to PS512. Default: the algorithm that the key
   * names, and RS256 for an RSA key that names none.
   */
  readonly alg?: string | undefined
}
