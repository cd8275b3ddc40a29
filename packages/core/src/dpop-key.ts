import type { CryptoKey, JWK } from 'jose'

/** A private key and its public one, as WebCrypto makes them. */
export interface KeyPair {
  readonly privateKey: CryptoKey
  /** Extractable, because it stands in every proof. */
  readonly publicKey: CryptoKey
}

/** The key that a client proves its tokens with (RFC 9449). */
export interface DPoPOptions {
  /** The same key in every instance lets a fleet share tokens. A JWK has to be a private one. */
  readonly key: KeyPair | JWK
  /**
   * The JWS algorithm: ES256, ES384, ES512, Ed25519, RS256 to RS512 or PS256 to PS512. Default: what the key says, RS256
   * for an RSA key that does not.
   */
  readonly alg?: string | undefined
}
