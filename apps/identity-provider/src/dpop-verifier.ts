import { randomUUID } from 'node:crypto'
import { decodeJwt, type JWTPayload } from 'jose'
import * as oauth from 'oauth4webapi'
import type { RecordedApiRequest } from './recorded-api-request'

/**
 * How an API uses nonces (RFC 9449 §9). `none`: not at all. `required`: it demands one, and sends a new one with each challenge.
 * `rotated`: it also sends a new one with each response.
 */
export type NoncePolicy = 'none' | 'required' | 'rotated'

/** A request with a DPoP token was refused. `code` is the error of the response. */
export class ProofRefused extends Error {
  constructor(readonly code: 'use_dpop_nonce' | 'invalid_dpop_proof' | 'invalid_token') {
    super(code)
  }
}

const NONCES_KEPT = 200

/**
 * Verifies DPoP requests (RFC 9449 §7) with oauth4webapi, which is independent of this project. Nonces and replayed proofs are
 * checked here.
 */
export class DPoPVerifier {
  policy: NoncePolicy = 'none'
  readonly #server: oauth.AuthorizationServer
  readonly #nonces = new Set<string>()
  readonly #proofs = new Set<string>()
  readonly #jwks: oauth.JWKSCacheInput = {}

  constructor(issuer: string) {
    this.#server = { issuer, jwks_uri: `${issuer}/jwks` }
  }

  /** A new nonce, which is accepted from now on. */
  newNonce(): string {
    const nonce = randomUUID()
    this.#nonces.add(nonce)
    const [oldest] = this.#nonces
    if (this.#nonces.size > NONCES_KEPT && oldest) this.#nonces.delete(oldest)
    return nonce
  }

  /** @throws ProofRefused */
  async verify({ method, url, headers }: RecordedApiRequest, origin: string, audience: string): Promise<JWTPayload> {
    const proof = String(headers.dpop ?? '')
    const { nonce, jti } = decoded(proof)
    if (this.policy !== 'none' && !this.#nonces.has(String(nonce))) throw new ProofRefused('use_dpop_nonce')
    if (!jti || this.#proofs.has(jti)) throw new ProofRefused('invalid_dpop_proof')
    this.#proofs.add(jti)
    const request = new Request(new URL(url, origin), {
      method,
      headers: { authorization: String(headers.authorization), dpop: proof },
    })
    try {
      return await oauth.validateJwtAccessToken(this.#server, request, audience, {
        [oauth.allowInsecureRequests]: true,
        [oauth.jwksCache]: this.#jwks,
        requireDPoP: true,
      })
    } catch {
      throw new ProofRefused('invalid_token')
    }
  }
}

function decoded(proof: string): { nonce?: unknown; jti?: string } {
  try {
    return decodeJwt(proof)
  } catch {
    throw new ProofRefused('invalid_dpop_proof')
  }
}
