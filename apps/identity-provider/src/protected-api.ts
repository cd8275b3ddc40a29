import { createHash } from 'node:crypto'
import { type CryptoKey, type JWTPayload, jwtVerify } from 'jose'
import { respond } from './api-routes'
import { APIS, type ApiName } from './clients'
import { DPoPVerifier, type NoncePolicy, ProofRefused } from './dpop-verifier'
import { Faults, respondWithFault } from './faults'
import { type LocalServer, peerCertificate, readBody } from './local-server'
import type { RecordedApiRequest } from './recorded-api-request'
import { sendJson } from './send-json'

/** An API that only accepts valid access tokens. */
export interface ProtectedApi {
  readonly origin: string
  /** Its origin and path, with a slash at the end. */
  readonly baseURL: string
  /** The audience of its tokens, and its resource indicator. */
  readonly audience: string
  readonly faults: Faults
  /** How it uses DPoP nonces. Default `none`. */
  noncePolicy: NoncePolicy
  /** Every request that reached it, in order. */
  readonly requests: RecordedApiRequest[]
  /** How many connections clients have opened so far. */
  readonly connections: number
}

export interface ProtectedApiOptions {
  readonly name: ApiName
  readonly server: LocalServer
  readonly issuer: string
  readonly publicKey: CryptoKey
  /** Whether the token has neither expired, to the millisecond, nor been revoked. */
  isValid(tokenId: string): boolean
}

export function serveProtectedApi(options: ProtectedApiOptions): ProtectedApi {
  const { name, server } = options
  const faults = new Faults()
  const requests: RecordedApiRequest[] = []
  const dpop = new DPoPVerifier(options.issuer)

  server.serve(async (request, response) => {
    const recorded: RecordedApiRequest = {
      at: performance.now(),
      method: request.method ?? 'GET',
      url: request.url ?? '/',
      headers: request.headers,
      body: await readBody(request),
      certificate: peerCertificate(request)?.raw,
      status: 0,
    }
    requests.push(recorded)
    await faults.delay()
    const fault = faults.take()
    if (fault) {
      recorded.status = respondWithFault(fault, request, response)
      return
    }
    const { refusal, claims } = await verify(options, recorded, dpop)
    if (dpop.policy === 'rotated' || refusal?.error === 'use_dpop_nonce')
      response.setHeader('dpop-nonce', dpop.newNonce())
    if (refusal) {
      recorded.status = refusal.status
      const scheme = recorded.headers.dpop === undefined ? 'Bearer' : 'DPoP'
      // RFC 6750 §3: the scope that would do.
      const scope = refusal.error === 'insufficient_scope' ? `, scope="${name}"` : ''
      const challenge = `${scheme} error="${refusal.error}"${scope}`
      sendJson(response, refusal.status, { error: refusal.error }, { 'www-authenticate': challenge })
      return
    }
    const responded = respond(name, recorded, claims, response)
    recorded.status = response.statusCode
    await responded
  })

  return {
    origin: server.origin,
    baseURL: `${server.origin}/${name}/`,
    audience: APIS[name].audience,
    faults,
    requests,
    get noncePolicy() {
      return dpop.policy
    },
    set noncePolicy(policy) {
      dpop.policy = policy
    },
    get connections() {
      return server.connections
    },
  }
}

interface Refusal {
  readonly status: 401 | 403
  readonly error: 'invalid_token' | 'insufficient_scope' | ProofRefused['code']
}

type Verdict = { refusal: Refusal; claims?: never } | { refusal?: never; claims: JWTPayload }

async function verify(
  options: ProtectedApiOptions,
  recorded: RecordedApiRequest,
  dpop: DPoPVerifier,
): Promise<Verdict> {
  const { name, isValid, server } = options
  let claims: JWTPayload
  try {
    const isDPoP = /^DPoP /i.test(recorded.headers.authorization ?? '')
    claims = isDPoP
      ? await dpop.verify(recorded, server.origin, APIS[name].audience)
      : await verifyBearer(options, recorded)
  } catch (error) {
    return { refusal: { status: 401, error: error instanceof ProofRefused ? error.code : 'invalid_token' } }
  }
  if (claims.jti) recorded.tokenId = claims.jti
  recorded.clientId = String(claims.client_id)
  if (!claims.jti || !isValid(claims.jti)) return { refusal: { status: 401, error: 'invalid_token' } }
  const granted = String(claims.scope ?? '').split(' ')
  return granted.some((scope) => scope === name || scope === `${name}.read`)
    ? { claims }
    : { refusal: { status: 403, error: 'insufficient_scope' } }
}

async function verifyBearer(
  { name, issuer, publicKey }: ProtectedApiOptions,
  { headers, certificate }: RecordedApiRequest,
) {
  const [, token = ''] = /^Bearer (\S+)$/i.exec(headers.authorization ?? '') ?? []
  const { payload } = await jwtVerify(token, publicKey, {
    issuer,
    audience: APIS[name].audience,
    typ: 'at+jwt',
    requiredClaims: ['exp'],
    // The claim has whole seconds only. `isValid` checks the expiry to the millisecond.
    clockTolerance: 1,
  })
  // A token that is bound to a key is not valid without a proof (RFC 9449 §7.2) or the certificate (RFC 8705 §3).
  if (payload.cnf !== undefined && !isBoundTo(payload.cnf, certificate)) throw new ProofRefused('invalid_token')
  return payload
}

function isBoundTo(confirmation: unknown, certificate: Buffer | undefined): boolean {
  const thumbprint = certificate && createHash('sha256').update(certificate).digest('base64url')
  return thumbprint !== undefined && (confirmation as Record<string, unknown>)['x5t#S256'] === thumbprint
}
