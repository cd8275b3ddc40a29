import { Grants, type IssuedRefreshToken } from './grants'
import type { Random } from './random'
import type { RequestUnderWay } from './request-under-way'
import type { EndpointFailure, RefreshTokenPlan } from './scenario'
import { connectionError, EPOCH_MS, type Host, type World } from './world'

/** A token that the server issued, and the truth about it. Times are simulated, in milliseconds. */
export interface IssuedToken {
  readonly value: string
  readonly client: string
  readonly tenant: string
  /** When the client sent the request. No client can count from a later moment and be wrong. */
  readonly requestedAt: number
  readonly issuedAt: number
  readonly expiresAt: number
  revoked: boolean
}

/** Marks in the texts that must not be seen in the wrong place. */
export const TOKEN_MARK = 'T0KEN.'
export const SECRET_MARK = 'S3CRET.'

export interface ServerClient {
  readonly name: string
  readonly lifetimeMs: number
  readonly refreshShare: number
  /** Undefined: the client uses the client credentials grant. */
  readonly refreshToken?: RefreshTokenPlan
  secretNumber: number
  isRefused: boolean
}

const CREDENTIALS = /^Basic (.+)$/
const REFUSED_AFTER_MS = 1

/** The token endpoint, and the network to it. */
export class AuthorizationServer {
  readonly #world: World
  readonly #random: Random
  readonly #roundTripMs: number
  readonly #clients = new Map<string, ServerClient>()
  readonly issued = new Map<string, IssuedToken>()
  readonly underWay = new Set<RequestUnderWay>()
  readonly grants: Grants
  failure: EndpointFailure | undefined
  retryAfterSeconds = 0
  latencyMs = 0
  lost = 0
  replyLost = 0
  twice = 0
  requests = 0
  onRequest: (request: RequestUnderWay) => void = () => {}
  onSent: () => void = () => {}
  #number = 0

  constructor(world: World, roundTripMs: number, clients: readonly ServerClient[]) {
    this.#world = world
    this.#random = world.random.fork('endpoint')
    this.#roundTripMs = roundTripMs
    for (const client of clients) this.#clients.set(client.name, client)
    this.grants = new Grants(world, clients)
  }

  client(name: string): ServerClient {
    const client = this.#clients.get(name)
    if (!client) throw new Error(`the server knows no client ${name}`)
    return client
  }

  get clients(): ServerClient[] {
    return [...this.#clients.values()]
  }

  secretOf(name: string): string {
    return `${SECRET_MARK}${name}.${this.client(name).secretNumber}`
  }

  /** What processes use as `fetch`. */
  connect(host: Host): typeof fetch {
    return (_input, init) =>
      new Promise<Response>((resolve, reject) => {
        const { headers, body, signal } = (init ?? {}) as {
          headers: Headers
          body: URLSearchParams
          signal: AbortSignal
        }
        const form = new URLSearchParams(String(body))
        const tenant = form.get('tenant') ?? ''
        const [id = '', secret = ''] = credentials(new Headers(headers).get('authorization'))
        const { now } = this.#world.scheduler
        const refreshToken = form.get('refresh_token') ?? undefined
        const request: RequestUnderWay = { host, key: `${id} ${tenant}`, client: id, refreshToken, since: now }
        this.requests++
        this.onSent()
        this.underWay.add(request)
        this.onRequest(request)
        this.#world.log.note(`${host.name} requests a token of ${request.key}`)
        let next: IssuedRefreshToken | undefined
        let isOver = false
        const end = (settle: () => void, fate: 'received' | 'lost' = 'lost') => {
          isOver = true
          this.grants.noteResponse(next, fate)
          if (!this.underWay.delete(request)) return
          settle()
        }
        signal.addEventListener('abort', () => end(() => reject(signal.reason)), { once: true })
        const fail = (delayMs: number) =>
          host.deliver(delayMs, () =>
            end(() => reject(new TypeError('fetch failed', { cause: connectionError('ECONNRESET') }))),
          )
        const oneWay = () => ((this.#roundTripMs + this.latencyMs) / 2) * this.#random.between(0.5, 1.5)
        if (this.failure === 'refused' || this.#random.chance(this.lost)) return fail(REFUSED_AFTER_MS)
        this.#world.scheduler.in(oneWay(), () => {
          if (this.failure === 'hangs') return
          // Of a request that arrives twice, the second response is the one that the process gets.
          if (this.#random.chance(this.twice)) {
            this.grants.noteResponse(this.#respond(id, secret, tenant, request).next, 'lost')
          }
          const responded = this.#respond(id, secret, tenant, request)
          const { response } = responded
          next = responded.next
          const isLost = this.#random.chance(this.replyLost)
          // Nobody waits for the response any more, or ever gets it.
          if (isOver || isLost || !this.underWay.has(request)) this.grants.noteResponse(next, 'lost')
          if (isLost) return fail(0)
          host.deliver(oneWay(), () => end(() => resolve(response), 'received'))
        })
      })
  }

  /** The requests of a process that died end. */
  forget(host: Host): void {
    for (const request of this.underWay) if (request.host === host) this.underWay.delete(request)
    this.grants.forget(host)
  }

  revoke(client: string | undefined): void {
    for (const token of this.issued.values()) if ((client ?? token.client) === token.client) token.revoked = true
  }

  revokeNewest(client: string): void {
    const [newest] = [...this.issued.values()].filter((token) => token.client === client).slice(-1)
    if (newest) newest.revoked = true
  }

  #respond(
    id: string,
    secret: string,
    tenant: string,
    request: RequestUnderWay,
  ): { readonly response: Response; readonly next?: IssuedRefreshToken | undefined } {
    const { refreshToken, since: requestedAt } = request
    const failed = this.#failedResponse()
    if (failed) return { response: failed }
    const client = this.#clients.get(id)
    if (!client || client.isRefused || secret !== this.secretOf(id)) {
      return { response: json(401, { error: 'invalid_client' }) }
    }
    const granted = client.refreshToken
      ? this.grants.use(id, request, !this.underWay.has(request))
      : { next: undefined }
    if (!granted) {
      return { response: json(400, { error: 'invalid_grant', error_description: `${refreshToken} is not valid` }) }
    }
    const { next } = granted
    const { now } = this.#world.scheduler
    const value = `${TOKEN_MARK}${++this.#number}`
    const { lifetimeMs, refreshShare } = client
    const token = { value, client: id, tenant, requestedAt, issuedAt: now, expiresAt: now + lifetimeMs, revoked: false }
    this.issued.set(value, token)
    const refresh = refreshShare > 0 ? { refresh_in: Math.round((lifetimeMs * refreshShare) / 1_000) } : {}
    const rotated = next ? { refresh_token: next.value } : {}
    const body = { access_token: value, token_type: 'Bearer', expires_in: lifetimeMs / 1_000, ...refresh, ...rotated }
    return { response: json(200, body, { date: new Date(EPOCH_MS + now).toUTCString() }), next }
  }

  #failedResponse(): Response | undefined {
    const retry: Record<string, string> =
      this.retryAfterSeconds > 0 ? { 'retry-after': String(this.retryAfterSeconds) } : {}
    switch (this.failure) {
      case '500':
      case '503':
      case '429':
        return new Response('out of order', { status: Number(this.failure), headers: retry })
      case 'rubbish':
        return new Response('{"access_token":', { status: 200, headers: { 'content-type': 'application/json' } })
      case 'html':
        return new Response('<h1>Welcome</h1>', { status: 200, headers: { 'content-type': 'text/html' } })
      case 'noToken':
        return json(200, { token_type: 'Bearer' })
      default:
        return undefined
    }
  }
}

function json(status: number, body: object, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json', ...headers } })
}

function credentials(authorization: string | null): string[] {
  const [, encoded = ''] = CREDENTIALS.exec(authorization ?? '') ?? []
  return atob(encoded).split(':').map(decodeURIComponent)
}
