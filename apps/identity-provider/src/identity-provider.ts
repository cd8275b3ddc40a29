import type { IncomingHttpHeaders, IncomingMessage, RequestListener } from 'node:http'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { decodeJwt } from 'jose'
import { createAuthorizationServer } from './authorization-server'
import { type RegisteredClient, registeredClients, type TestClient } from './clients'
import { answerWithFault, Faults } from './faults'
import { type LocalServer, readBody, type ServerCertificate, startLocalServer } from './local-server'
import { type ProtectedApi, serveProtectedApi } from './protected-api'

/** Options of {@link startIdentityProvider}. */
export interface IdentityProviderOptions {
  /** The ports of the authorization server and of the APIs. Default 0: any free one. */
  port?: number
  catalogPort?: number
  invoicePort?: number
  /** How long tokens live, seconds: for all, or by client name. Default 3,600. */
  tokenLifetimeSeconds?: number | Record<string, number>
  /** Serves the token endpoint and the catalog by https too, where clients show certificates (RFC 8705). */
  mtls?: ServerCertificate
  /** Clients beside those that are built in, by name. */
  clients?: Record<string, TestClient>
}

/** A request that reached the token endpoint. */
export interface RecordedTokenRequest {
  /** When, in milliseconds of the monotonic clock (`performance.now`). */
  readonly at: number
  /** The client that it says it comes from, by its header or its form. */
  readonly clientId: string | undefined
  /** The form without its credentials. */
  readonly parameters: Readonly<Record<string, string>>
  readonly headers: IncomingHttpHeaders
  /** What was answered; 0 for nothing (yet). */
  status: number
}

/** An authorization server and two APIs that take its tokens, in this process and on this machine only. */
export interface IdentityProvider {
  readonly issuer: string
  readonly tokenEndpoint: string
  /** The registered clients, by name. */
  readonly clients: Readonly<Record<string, RegisteredClient>>
  /** A registered client. @throws when there is none of that name. */
  client(name: string): RegisteredClient
  readonly catalog: ProtectedApi
  readonly invoice: ProtectedApi
  /** The catalog for clients that show certificates, when there is `mtls`. */
  readonly mtlsCatalog: ProtectedApi | undefined
  /** What reached the token endpoint, in order. */
  readonly tokenRequests: RecordedTokenRequest[]
  /** The statuses of the answers to revocation requests. */
  readonly revocationRequests: readonly number[]
  /** How often the metadata was read. */
  readonly discoveryRequests: number
  readonly tokenEndpointFaults: Faults
  readonly discoveryFaults: Faults
  /** Whether metadata is published by OpenID Connect's name too, or by RFC 8414's only. Default true. */
  publishesOpenIdMetadata: boolean
  /** Whether a token request with a DPoP proof needs a nonce. Default false. */
  requiresNonce: boolean
  /** Both APIs answer 401 to this token from now on. */
  revoke(token: string): void
  /** Both APIs answer 401 to every token issued so far; how many that are. */
  revokeIssued(): number
  setTokenLifetime(seconds: number, clientName?: string): void
  /** Forgets what was recorded and all faults. */
  reset(): void
  close(): Promise<void>
}

const OPENID_METADATA = '/.well-known/openid-configuration'
const OAUTH_METADATA = '/.well-known/oauth-authorization-server'

export async function startIdentityProvider(options: IdentityProviderOptions = {}): Promise<IdentityProvider> {
  const servers = await Promise.all([
    startLocalServer(options.port),
    startLocalServer(options.catalogPort),
    startLocalServer(options.invoicePort),
  ])
  const [server, catalogServer, invoiceServer] = servers
  const { mtls } = options
  const mtlsServers = mtls && (await Promise.all([startLocalServer(0, mtls), startLocalServer(0, mtls)]))
  const [mtlsServer, mtlsCatalogServer] = mtlsServers ?? []
  const clients = registeredClients(options.clients ?? {})
  const lifetimes = new TokenLifetimes(options.tokenLifetimeSeconds ?? 3_600, clients)
  const issued = new IssuedTokens()
  const issuer = server.origin
  let requiresNonce = false
  const { handler, publicKey } = await createAuthorizationServer({
    issuer,
    clients: Object.values(clients),
    tokenLifetime: (clientId) => lifetimes.of(clientId),
    requiresNonce: () => requiresNonce,
    mtlsOrigin: mtlsServer?.origin,
    onIssued: (tokenId, lifetime) => issued.add(tokenId, lifetime),
  })
  const api = (name: 'catalog' | 'invoice', apiServer: LocalServer) =>
    serveProtectedApi({ name, server: apiServer, issuer, publicKey, isValid: (tokenId) => issued.isValid(tokenId) })

  const tokenRequests: RecordedTokenRequest[] = []
  const tokenEndpointFaults = new Faults()
  const discoveryFaults = new Faults()
  const revocationRequests: number[] = []
  let discoveryRequests = 0

  const provider: IdentityProvider = {
    issuer,
    tokenEndpoint: `${issuer}/token`,
    clients,
    client(name) {
      const client = clients[name]
      if (!client) throw new Error(`no client '${name}' is registered`)
      return client
    },
    catalog: api('catalog', catalogServer),
    invoice: api('invoice', invoiceServer),
    mtlsCatalog: mtlsCatalogServer && api('catalog', mtlsCatalogServer),
    tokenRequests,
    revocationRequests,
    get discoveryRequests() {
      return discoveryRequests
    },
    tokenEndpointFaults,
    discoveryFaults,
    publishesOpenIdMetadata: true,
    get requiresNonce() {
      return requiresNonce
    },
    set requiresNonce(value) {
      requiresNonce = value
    },
    revoke(token) {
      issued.revoke(String(decodeJwt(token).jti))
    },
    revokeIssued: () => issued.revokeAll(),
    setTokenLifetime: (seconds, clientName) => lifetimes.set(seconds, clientName),
    reset() {
      tokenRequests.length = 0
      discoveryRequests = 0
      for (const { requests, faults } of [provider.catalog, provider.invoice]) {
        requests.length = 0
        faults.clear()
      }
      tokenEndpointFaults.clear()
      discoveryFaults.clear()
    },
    async close() {
      await Promise.all([...servers, ...(mtlsServers ?? [])].map((each) => each.close()))
    },
  }

  const serveToken: RequestListener = async (request, response) => {
    const body = await readBody(request)
    const recorded = recordTokenRequest(request, new URLSearchParams(body.toString('utf8')))
    tokenRequests.push(recorded)
    response.on('finish', () => {
      recorded.status = response.statusCode
    })
    if (tokenEndpointFaults.delayMs > 0) await sleep(tokenEndpointFaults.delayMs)
    const fault = tokenEndpointFaults.take()
    if (fault) answerWithFault(fault, request, response)
    else handler(withBody(request, body), response)
  }
  const serve: RequestListener = (request, response) => {
    const [path] = (request.url ?? '').split('?')
    if (path === '/token') return serveToken(request, response)
    if (path === OPENID_METADATA || path === OAUTH_METADATA) {
      discoveryRequests++
      const fault = discoveryFaults.take()
      if (fault) return answerWithFault(fault, request, response)
      if (path === OPENID_METADATA && !provider.publishesOpenIdMetadata) return response.writeHead(404).end()
      request.url = OPENID_METADATA
    }
    if (path === '/token/revocation') {
      response.on('finish', () => revocationRequests.push(response.statusCode))
    }
    return handler(request, response)
  }
  server.serve(serve)
  mtlsServer?.serve(serve)
  return provider
}

/** The tokens that were issued, and when each ends. A JWT says that by the second only, which is much of a short life. */
class IssuedTokens {
  readonly #endsAt = new Map<string, number>()

  add(tokenId: string, lifetime: number): void {
    this.#endsAt.set(tokenId, performance.now() + lifetime * 1_000)
  }

  isValid(tokenId: string): boolean {
    return performance.now() < (this.#endsAt.get(tokenId) ?? 0)
  }

  revoke(tokenId: string): void {
    this.#endsAt.set(tokenId, 0)
  }

  revokeAll(): number {
    for (const tokenId of this.#endsAt.keys()) this.revoke(tokenId)
    return this.#endsAt.size
  }
}

class TokenLifetimes {
  readonly #byClientId = new Map<string, number>()
  readonly #clients: Readonly<Record<string, RegisteredClient>>
  #usual = 3_600

  constructor(lifetimes: number | Record<string, number>, clients: Readonly<Record<string, RegisteredClient>>) {
    this.#clients = clients
    if (typeof lifetimes === 'number') this.#usual = lifetimes
    else for (const [name, seconds] of Object.entries(lifetimes)) this.set(seconds, name)
  }

  of(clientId: string): number {
    return this.#byClientId.get(clientId) ?? this.#usual
  }

  set(seconds: number, clientName?: string): void {
    if (clientName === undefined) {
      this.#usual = seconds
      this.#byClientId.clear()
    } else this.#byClientId.set(this.#clients[clientName]?.clientId ?? clientName, seconds)
  }
}

/** The request with its body to be read once more: what reads it is oidc-provider's own code, as without us. */
function withBody(request: IncomingMessage, body: Buffer): IncomingMessage {
  const { headers, rawHeaders, method, url, socket, httpVersion } = request
  const again = Object.assign(Readable.from([body], { objectMode: false }), { httpVersion, socket })
  return Object.assign(again, { headers, rawHeaders, method, url }) as unknown as IncomingMessage
}

function recordTokenRequest({ headers }: IncomingMessage, form: URLSearchParams): RecordedTokenRequest {
  const { client_secret, client_assertion, ...parameters } = Object.fromEntries(form)
  const [, basic] = /^Basic (\S+)$/i.exec(headers.authorization ?? '') ?? []
  const [user] = basic ? Buffer.from(basic, 'base64').toString('utf8').split(':') : []
  const clientId = user === undefined ? parameters.client_id : decodeURIComponent(user.replaceAll('+', ' '))
  return { at: performance.now(), clientId, parameters, headers, status: 0 }
}
