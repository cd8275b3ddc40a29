import type { RequestListener } from 'node:http'
import { decodeJwt } from 'jose'
import { createAuthorizationServer } from './authorization-server'
import { type ClientName, type RegisteredClient, registeredClients, type TestClient } from './clients'
import { answerWithFault, Faults } from './faults'
import { IssuedTokens, TokenLifetimes } from './issued-tokens'
import { type LocalServer, readBody, type ServerCertificate, startLocalServers, withBody } from './local-server'
import { type ProtectedApi, serveProtectedApi } from './protected-api'
import { type RecordedTokenRequest, recordTokenRequest } from './recorded-token-request'

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

/** An authorization server and two APIs that take its tokens, in this process and on this machine only. */
export interface IdentityProvider {
  /** `http://127.0.0.1:PORT` */
  readonly issuer: string
  readonly tokenEndpoint: string
  /** The registered clients, by name. */
  readonly clients: Readonly<Record<ClientName, RegisteredClient>>
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
  /** What goes wrong at the token endpoint. */
  readonly tokenEndpointFaults: Faults
  /** What goes wrong where the metadata is published. */
  readonly discoveryFaults: Faults
  /** Whether metadata is published by OpenID Connect's name too, or by RFC 8414's only. Default true. */
  publishesOpenIdMetadata: boolean
  /** Whether a token request with a DPoP proof needs a nonce. Default false. */
  requiresNonce: boolean
  /** Both APIs answer 401 to this token from now on. */
  revoke(token: string): void
  /** Both APIs answer 401 to every token issued so far; how many that are. */
  revokeIssued(): number
  /** How long tokens live from now on: of one client, or of all. */
  setTokenLifetime(seconds: number, clientName?: string): void
  /** Forgets what was recorded and all faults, and nothing else. */
  reset(): void
  /** Ends every connection, also those with a request under way; after it nothing listens. */
  close(): Promise<void>
}

const OPENID_METADATA = '/.well-known/openid-configuration'
const OAUTH_METADATA = '/.well-known/oauth-authorization-server'

export async function startIdentityProvider(options: IdentityProviderOptions = {}): Promise<IdentityProvider> {
  const { port, catalogPort, invoicePort, mtls } = options
  const servers = await startLocalServers({
    issuer: { port },
    catalog: { port: catalogPort },
    invoice: { port: invoicePort },
    ...(mtls && { mtlsIssuer: { certificate: mtls }, mtlsCatalog: { certificate: mtls } }),
  })
  const clients = registeredClients(options.clients ?? {})
  const lifetimes = new TokenLifetimes(options.tokenLifetimeSeconds ?? 3_600, clients)
  const issued = new IssuedTokens()
  const issuer = servers.issuer.origin
  let requiresNonce = false
  const { handler, publicKey } = await createAuthorizationServer({
    issuer,
    clients: Object.values(clients),
    tokenLifetime: (clientId) => lifetimes.of(clientId),
    requiresNonce: () => requiresNonce,
    mtlsOrigin: servers.mtlsIssuer?.origin,
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
    catalog: api('catalog', servers.catalog),
    invoice: api('invoice', servers.invoice),
    mtlsCatalog: servers.mtlsCatalog && api('catalog', servers.mtlsCatalog),
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
      revocationRequests.length = 0
      for (const each of [provider.catalog, provider.invoice, provider.mtlsCatalog]) {
        if (each) each.requests.length = 0
        each?.faults.clear()
      }
      tokenEndpointFaults.clear()
      discoveryFaults.clear()
    },
    async close() {
      await Promise.all(Object.values(servers).map((each) => each?.close()))
    },
  }

  const serveToken: RequestListener = async (request, response) => {
    const body = await readBody(request)
    const recorded = recordTokenRequest(request, new URLSearchParams(body.toString('utf8')))
    tokenRequests.push(recorded)
    response.on('finish', () => {
      recorded.status = response.statusCode
    })
    await tokenEndpointFaults.delay()
    const fault = tokenEndpointFaults.take()
    if (fault) answerWithFault(fault, request, response)
    else handler(withBody(request, body), response)
  }
  const serve: RequestListener = async (request, response) => {
    const [path] = (request.url ?? '').split('?')
    if (path === '/token') return serveToken(request, response)
    if (path === OPENID_METADATA || path === OAUTH_METADATA) {
      discoveryRequests++
      await discoveryFaults.delay()
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
  servers.issuer.serve(serve)
  servers.mtlsIssuer?.serve(serve)
  return provider
}
