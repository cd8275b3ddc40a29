import { memoryStore } from '@tokenward/store-memory'
import { type CryptoKey, calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose'
import type { AccessToken } from '../../access-token'
import type { DPoPOptions, KeyPair } from '../../dpop-key'
import { ConfigurationError } from '../../errors'
import type { OptionChecks } from '../util/option-checks'
import { base64urlOf, type ProofSigner, proofSigner } from './proof-signer'

/** How many origins' nonces are remembered. The least recently used are forgotten first. */
const MOST_ORIGINS = 100
const FOREVER_MS = Number.MAX_SAFE_INTEGER
const encoder = new TextEncoder()
const PRIVATE_PARAMETERS = new Set(['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'key_ops', 'ext', 'use'])

/** The request that a proof is for (RFC 9449 §4.2). */
export interface ProvenRequest {
  readonly method: string
  readonly url: URL
  readonly token: AccessToken
  /** Claims in addition to those of RFC 9449. */
  readonly claims?: Readonly<Record<string, unknown>> | undefined
}

/** The `ath` claim of a token's proofs. */
interface TokenHash {
  readonly value: string
  readonly ath: string
}

interface LoadedKey {
  readonly keyPair: KeyPair
  readonly thumbprint: string
  readonly sign: ProofSigner
}

/** Makes the DPoP proofs of one client for its APIs, and remembers the nonces that the APIs demand. */
export class DPoPProver {
  readonly #client: string
  readonly #options: true | DPoPOptions
  readonly #now: () => number
  readonly #nonces = memoryStore({ maxEntries: MOST_ORIGINS })
  #loading: Promise<LoadedKey> | undefined
  #key: LoadedKey | undefined
  readonly #tokenHashes = new WeakMap<AccessToken, TokenHash>()

  constructor(client: string, options: true | DPoPOptions, now: () => number) {
    this.#client = client
    this.#options = options
    this.#now = now
  }

  /** The JWK thumbprint of the key (RFC 7638), which tokens are bound to. */
  async thumbprint(): Promise<string> {
    return (await this.#load()).thumbprint
  }

  async keyPair(): Promise<KeyPair> {
    return (await this.#load()).keyPair
  }

  rememberNonce(url: URL, nonce: string): void {
    this.#nonces.set(url.origin, nonce, FOREVER_MS)
  }

  /** A proof for this very request. @throws ConfigurationError when the key cannot sign it. */
  async prove({ method, url, token, claims }: ProvenRequest): Promise<string> {
    // Nothing is waited for that is there: to wait takes longer than all the rest but the signature.
    const { sign } = this.#key ?? (await this.#load())
    const ath = this.#knownHash(token) ?? (await this.#hashOf(token))
    const { origin, pathname } = url
    const proof = {
      ...claims,
      jti: crypto.randomUUID(),
      htm: method,
      // Without query and fragment (RFC 9449 §4.2).
      htu: `${origin}${pathname}`,
      iat: Math.floor(this.#now() / 1_000),
      ath,
      nonce: this.#nonces.get(origin),
    }
    try {
      return await sign(proof)
    } catch (error) {
      throw this.#unusable(error)
    }
  }

  /** It is computed once for each token. */
  #knownHash(token: AccessToken): string | undefined {
    const known = this.#tokenHashes.get(token)
    return known?.value === token.value ? known.ath : undefined
  }

  async #hashOf(token: AccessToken): Promise<string> {
    const { value } = token
    const ath = await sha256(value)
    this.#tokenHashes.set(token, { value, ath })
    return ath
  }

  #load(): Promise<LoadedKey> {
    this.#loading ??= loadKey(this.#options).then(
      (key) => {
        this.#key = key
        return key
      },
      (error) => {
        this.#loading = undefined
        throw this.#unusable(error)
      },
    )
    return this.#loading
  }

  #unusable(error: unknown): ConfigurationError {
    // Only the class of the error: its message may quote the key.
    const message = `no proof can be made with this key: ${error instanceof Error ? error.name : 'unknown error'}`
    return new ConfigurationError([{ client: this.#client, option: 'dpop', message }])
  }
}

async function loadKey(options: true | DPoPOptions): Promise<LoadedKey> {
  if (options === true) return describe(await generateKeyPair('ES256'), 'ES256')
  const { key } = options
  if (isKeyPair(key)) return describe(key, options.alg ?? algorithmOf(key.privateKey))
  const alg = options.alg ?? key.alg ?? algorithmOfJwk(key)
  const publicJwk = Object.fromEntries(Object.entries(key).filter(([name]) => !PRIVATE_PARAMETERS.has(name)))
  const { use, key_ops, ext, ...privateJwk } = key
  const privateKey = (await importJWK(privateJwk, alg)) as CryptoKey
  const publicKey = (await importJWK(publicJwk, alg, { extractable: true })) as CryptoKey
  return describe({ privateKey, publicKey }, alg)
}

async function describe(keyPair: KeyPair, alg: string): Promise<LoadedKey> {
  const { kty, crv, x, y, n, e } = await exportJWK(keyPair.publicKey)
  const publicJwk = JSON.parse(JSON.stringify({ kty, crv, x, y, n, e })) as JWK
  const sign = await proofSigner(keyPair.privateKey, { typ: 'dpop+jwt', alg, jwk: publicJwk })
  return { keyPair, thumbprint: await calculateJwkThumbprint(publicJwk), sign }
}

function isKeyPair(key: KeyPair | JWK): key is KeyPair {
  return 'privateKey' in key && 'publicKey' in key
}

const CURVES: Readonly<Record<string, string>> = { 'P-256': 'ES256', 'P-384': 'ES384', 'P-521': 'ES512' }

function algorithmOf({ algorithm }: CryptoKey): string {
  const { name, namedCurve = '', hash } = algorithm as { name: string; namedCurve?: string; hash?: { name: string } }
  const bits = hash?.name.replace('SHA-', '') ?? '256'
  if (name === 'RSA-PSS') return `PS${bits}`
  if (name === 'RSASSA-PKCS1-v1_5') return `RS${bits}`
  return CURVES[namedCurve] ?? name
}

function algorithmOfJwk({ kty, crv = '' }: JWK): string {
  return CURVES[crv] ?? (kty === 'RSA' ? 'RS256' : crv)
}

/** In base64url, as RFC 9449 §4.2 wants it. */
async function sha256(text: string): Promise<string> {
  const bytes = await crypto.subtle.digest('SHA-256', encoder.encode(text))
  return base64urlOf(new Uint8Array(bytes))
}

/** Checks the option as far as possible without using the key. */
export function checkDPoP(checks: OptionChecks, value: unknown): void {
  if (value === undefined || value === false || value === true) return
  if (!checks.object('dpop', value)) return
  const { key, alg } = value
  if (alg !== undefined) checks.text('dpop.alg', alg)
  if (!checks.object('dpop.key', key)) return
  if ('privateKey' in key || 'publicKey' in key) checkKeyPair(checks, key)
  else if (typeof key.kty !== 'string') checks.problem('dpop.key', 'must be a CryptoKeyPair or a JWK')
  else if (key.kty === 'oct') checks.problem('dpop.key', 'is symmetric; a proof needs a private key')
  else if (typeof key.d !== 'string') checks.problem('dpop.key', 'is a public key; a proof needs the private one')
}

function checkKeyPair(checks: OptionChecks, { privateKey, publicKey }: Record<string, unknown>): void {
  if (!(privateKey instanceof CryptoKey) || privateKey.type !== 'private' || !privateKey.usages.includes('sign')) {
    checks.problem('dpop.key', 'has no private key with the usage sign')
  }
  if (!(publicKey instanceof CryptoKey) || publicKey.type !== 'public' || !publicKey.extractable) {
    checks.problem('dpop.key', 'has no extractable public key, which every proof contains')
  }
}
