import type { RequestListener } from 'node:http'
import { decodeJwt } from 'jose'
import { type AddedResource, createAuthorizationServer, type TokenFormat } from './authorization-server'
import { type ClientName, type RegisteredClient, registeredClients, type TestClient } from './clients'
import { Faults, respondWithFault } from './faults'
import type { IdJagOptions } from './id-jag'
import { type IssuedToken, IssuedTokens, TokenLifetimes } from './issued-tokens'
import { type LocalServer, readBody, type ServerCertificate, startLocalServers, withBody } from './local-server'
import { type ProtectedApi, serveProtectedApi } from './protected-api'
import { type RecordedTokenRequest, recordTokenRequest } from './recorded-token-request'

/** Options of {@link startIdentityProvider}. */
export interface IdentityProviderOptions {
  /** The port of the authorization server. Default 0: any free port. */
  port?: number
  /** The port of the catalog API. Default 0: any free port. */
  catalogPort?: number
  /** The port of the invoice API. Default 0: any free port. */
  invoicePort?: number
  /** The lifetime of tokens in seconds: one for all clients, or one for each client by its name. Default 3,600. */
  tokenLifetimeSeconds?: number | Record<string, number>
  /** Serves the token endpoint and the catalog over mTLS too, with this certificate (RFC 8705). */
  mtls?: ServerCertificate
  /** Clients in addition to the built-in ones, by name. */
  clients?: Record<string, TestClient>
  /**
   * Lets clients that may use the grants exchange ID tokens for identity assertion grants (ID-JAG), and present those of others.
   * Default: not.
   */
  idJag?: IdJagOptions
  /** Whether every client gets only tokens that are bound to a key (RFC 9449 §5.2). Default false. */
  requiresDPoP?: boolean
}

/** An authorization server and two APIs that accept its tokens. They run in this process and listen on 127.0.0.1 only. */
export interface IdentityProvider {
  /** `http://127.0.0.1:PORT` */
  readonly issuer: string
  readonly tokenEndpoint: string
  /** Says whether an opaque token is valid, and for what (RFC 7662). Every registered client may ask. */
  readonly introspectionEndpoint: string
  /** The registered clients, by name. */
  readonly clients: Readonly<Record<ClientName, RegisteredClient>>
  /** A registered client. @throws Error when no client has that name */
  client(name: string): RegisteredClient
  readonly catalog: ProtectedApi
  readonly invoice: ProtectedApi
  /** The catalog over mTLS. Undefined without the option `mtls`. */
  readonly mtlsCatalog: ProtectedApi | undefined
  /** Every request that reached the token endpoint, in order. */
  readonly tokenRequests: RecordedTokenRequest[]
  /** The status of the response to each revocation request. */
  readonly revocationRequests: readonly number[]
  /** How often the metadata was requested. */
  readonly discoveryRequests: number
  /** The faults of the token endpoint. */
  readonly tokenEndpointFaults: Faults
  /** The faults of the metadata endpoint. */
  readonly discoveryFaults: Faults
  /** Whether the metadata is also at the path of OpenID Connect. With false it is at the path of RFC 8414 only. Default true. */
  publishesOpenIdMetadata: boolean
  /** Whether a token request with a DPoP proof needs a nonce. Default false. */
  requiresNonce: boolean
  /** What is known of a token, by its `jti`. Undefined: it was not issued here. */
  issuedToken(tokenId: string): IssuedToken | undefined
  /**
   * Adds a resource (RFC 8707) and its scopes, separated by spaces. Its tokens are opaque by default: its server has to ask the
   * introspection endpoint, and a revocation (RFC 7009) has an effect at once. Or they are JWTs (RFC 9068).
   */
  addResource(resource: string, scope: string, format?: TokenFormat): void
  /**
   * A refresh token of a client (RFC 6749 §6), as a person's consent would give one: for the client's API and all of its scopes. Each
   * use replaces it, and a second use ends the grant.
   */
  issueRefreshToken(clientName: ClientName): Promise<string>
  /** Both APIs respond 401 to this token from now on. */
  revoke(token: string): void
  /** Both APIs respond 401 to every token that was issued so far. Returns the number of these tokens. */
  revokeIssued(): number
  /** Sets the lifetime of new tokens: of one client, or of all. */
  setTokenLifetime(seconds: number, clientName?: string): void
  /** An ID token for a client, as a login of `subject` would issue it. Its lifetime is 3,600 seconds by default. */
  idToken(clientName: string, subject: string, lifetimeSeconds?: number): Promise<string>
  /** Replaces the secret of a client: the server accepts only the new one from now on. Not for `client_secret_jwt`. */
  setClientSecret(clientName: string, secret: string): Promise<void>
  /** Deletes all records and faults. Tokens, revocations and lifetimes stay. */
  reset(): void
  /** Stops all servers. Ends every connection, also one with a request under way. */
  close(): Promise<void>
}

const OPENID_METADATA = '/.well-known/openid-configuration'
const OAUTH_METADATA = '/.well-known/oauth-authorization-server'

/**
 * Starts an authorization server and two protected APIs.
 *
 * @throws Error when a port is taken; then none of the servers runs
 */
export async function startIdentityProvider(options: IdentityProviderOptions = {}): Promise<IdentityProvider> {
  const { port, catalogPort, invoicePort, mtls } = options
  const servers = await startLocalServers({
    issuer: { port },
    catalog: { port: catalogPort },
    invoice: { port: invoicePort },
    ...(mtls && { mtlsIssuer: { certificate: mtls }, mtlsCatalog: { certificate: mtls } }),
  })
  const clients = registeredClients(options.clients ?? {}, options.requiresDPoP ?? false)
  const lifetimes = new TokenLifetimes(options.tokenLifetimeSeconds ?? 3_600, clients)
  const issued = new IssuedTokens()
  const issuer = servers.issuer.origin
  const addedResources = new Map<string, AddedResource>()
  let requiresNonce = false
  const { handler, publicKey, setClientSecret, idToken, issueRefreshToken } = await createAuthorizationServer({
    issuer,
    clients: Object.values(clients),
    tokenLifetime: (clientId) => lifetimes.of(clientId),
    requiresNonce: () => requiresNonce,
    addedResource: (resource) => addedResources.get(resource),
    idJag: options.idJag,
    mtlsOrigin: servers.mtlsIssuer?.origin,
    onIssued: (tokenId, lifetimeSeconds, granted) => issued.add(tokenId, lifetimeSeconds, granted),
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
    introspectionEndpoint: `${issuer}/token/introspection`,
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
    issuedToken: (tokenId) => issued.get(tokenId),
    addResource(resource, scope, format = 'opaque') {
      addedResources.set(resource, { scope, format })
    },
    issueRefreshToken: async (clientName) => issueRefreshToken(provider.client(clientName)),
    revoke(token) {
      issued.revoke(String(decodeJwt(token).jti))
    },
    revokeIssued: () => issued.revokeAll(),
    setTokenLifetime: (seconds, clientName) => lifetimes.set(seconds, clientName),
    idToken: (clientName, subject, lifetimeSeconds = 3_600) =>
      idToken(provider.client(clientName).clientId, subject, lifetimeSeconds),
    setClientSecret: (clientName, secret) => setClientSecret(provider.client(clientName).clientId, secret),
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
    response.on('close', () => {
      recorded.endedAt = performance.now()
    })
    await tokenEndpointFaults.delay()
    const fault = tokenEndpointFaults.take()
    if (fault) respondWithFault(fault, request, response)
    else handler(withBody(request, body), response)
  }
  const serve: RequestListener = async (request, response) => {
    const [path] = (request.url ?? '').split('?')
    if (path === '/token') return serveToken(request, response)
    if (path === OPENID_METADATA || path === OAUTH_METADATA) {
      discoveryRequests++
      await discoveryFaults.delay()
      const fault = discoveryFaults.take()
      if (fault) return respondWithFault(fault, request, response)
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
