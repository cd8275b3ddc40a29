import { randomBytes, X509Certificate } from 'node:crypto'
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import Provider, {
  type Configuration,
  errors,
  type ResourceServer,
  type TokenEndpointGrantContext,
} from 'oidc-provider'
import { APIS, type ApiName, type RegisteredClient } from './clients'
import { type IdJagOptions, serveIdJagExchange, serveJwtBearer } from './id-jag'
import { peerCertificate } from './local-server'
import { memoryAdapter } from './memory-adapter'

const ASYMMETRIC = [
  ...['ES256', 'ES384', 'ES512', 'Ed25519'],
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
] as const

/** Tokens for this resource are opaque, because oidc-provider can revoke those. It cannot revoke a JWT. */
const OPAQUE_RESOURCE = 'urn:opaque'

export type TokenFormat = 'opaque' | 'jwt'

/** A resource in addition to the APIs. */
export interface AddedResource {
  readonly scope: string
  readonly format: TokenFormat
}
/** The lifetime of a consent and of refresh tokens, in seconds: 90 days. */
const GRANT_SECONDS = 90 * 86_400

export interface AuthorizationServerOptions {
  readonly issuer: string
  readonly clients: readonly RegisteredClient[]
  /** The lifetime of a new token, in seconds. Called for each token. */
  tokenLifetime(clientId: string): number
  /** Whether a token request with a proof needs a nonce (RFC 9449 §8). */
  requiresNonce(): boolean
  /** A resource that was added, or undefined. */
  addedResource(resource: string): AddedResource | undefined
  /** The origin of the mTLS endpoints (RFC 8705 §5). */
  readonly mtlsOrigin: string | undefined
  /** Whether it issues and accepts identity assertion grants, and how. */
  readonly idJag: IdJagOptions | undefined
  /** Called for each token that is issued. */
  onIssued(
    tokenId: string,
    lifetimeSeconds: number,
    granted: { clientId: string | undefined; scope: string | undefined },
  ): void
}

/** An OAuth 2.0 authorization server that issues RFC 9068 JWTs for the APIs. */
export async function createAuthorizationServer(options: AuthorizationServerOptions) {
  const { issuer, clients, tokenLifetime, requiresNonce, addedResource, onIssued, mtlsOrigin, idJag } = options
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
  const publicKeys = { keys: [{ ...(await exportJWK(publicKey)), alg: 'ES256', use: 'sig', kid: 'signing' }] }
  const signingKey: JWK = { ...(await exportJWK(privateKey)), alg: 'ES256', use: 'sig', kid: 'signing' }
  const apiOf = new Map(clients.map(({ clientId, api }) => [clientId, api]))
  const apis = Object.entries(APIS) as [ApiName, (typeof APIS)[ApiName]][]

  const defaultResource = (clientId: string) => APIS[apiOf.get(clientId) ?? 'catalog'].audience
  /** @throws InvalidTarget */
  const resourceServerOf = (resource: string, clientId: string): ResourceServer => {
    const allScopes = apis.flatMap(([, { scopes }]) => scopes).join(' ')
    const jwt = { sign: { alg: 'ES256' } } as const
    const accessTokenTTL = tokenLifetime(clientId)
    const added: AddedResource | undefined =
      resource === OPAQUE_RESOURCE ? { scope: allScopes, format: 'opaque' } : addedResource(resource)
    if (added) {
      const { scope, format } = added
      const common = { audience: resource, scope, accessTokenTTL }
      return format === 'jwt'
        ? { ...common, accessTokenFormat: 'jwt', jwt }
        : { ...common, accessTokenFormat: 'opaque' }
    }
    const [, api] = apis.find(([, { audience }]) => audience === resource) ?? []
    if (!api) throw new errors.InvalidTarget()
    return {
      audience: api.audience,
      scope: api.scopes.join(' '),
      accessTokenFormat: 'jwt',
      accessTokenTTL,
      jwt,
    }
  }

  const configuration: Configuration = {
    adapter: memoryAdapter(),
    jwks: { keys: [signingKey] },
    cookies: { keys: ['required by oidc-provider, used by no client here'] },
    scopes: [...new Set(clients.flatMap(({ scope }) => scope.split(' ')))],
    clients: clients.map(({ clientId, clientSecret, scope, metadata }) => ({
      client_id: clientId,
      client_secret: clientSecret,
      scope,
      grant_types: ['client_credentials', 'refresh_token'],
      response_types: [],
      redirect_uris: [],
      // The default would need an RSA key.
      id_token_signed_response_alg: 'ES256',
      ...metadata,
    })),
    ttl: {
      AccessToken: (_ctx, _token, client) => tokenLifetime(client.clientId),
      ClientCredentials: (_ctx, _token, client) => tokenLifetime(client.clientId),
      Grant: GRANT_SECONDS,
      RefreshToken: GRANT_SECONDS,
    },
    // There is no page to log in to: `issueRefreshToken` stands for a person's consent.
    findAccount: (_ctx, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    issueRefreshToken: async () => false,
    // A refresh token that is used twice ends its grant.
    rotateRefreshToken: true,
    enabledJWA: {
      dPoPSigningAlgValues: ASYMMETRIC,
      clientAuthSigningAlgValues: ['HS256', 'HS384', 'HS512', ...ASYMMETRIC],
    },
    clientAuthMethods: [
      'client_secret_basic',
      'client_secret_post',
      'client_secret_jwt',
      'private_key_jwt',
      'tls_client_auth',
      'self_signed_tls_client_auth',
      'none',
    ],
    features: {
      mTLS: {
        enabled: true,
        tlsClientAuth: true,
        selfSignedTlsClientAuth: true,
        certificateBoundAccessTokens: true,
        getCertificate: (ctx) =>
          peerCertificate(ctx.req)?.raw && new X509Certificate(peerCertificate(ctx.req)?.raw ?? ''),
        // The certificates are self-signed. They are compared with the client's registration instead.
        certificateAuthorized: () => true,
        certificateSubjectMatches: (ctx, property, expected) =>
          property === 'tls_client_auth_subject_dn' && `CN=${peerCertificate(ctx.req)?.subject.CN}` === expected,
      },
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      revocation: { enabled: true, allowedPolicy: () => true },
      introspection: { enabled: true, allowedPolicy: () => true },
      dPoP: { enabled: true, nonceSecret: randomBytes(32), requireNonce: requiresNonce },
      resourceIndicators: {
        enabled: true,
        defaultResource: (_ctx, client) => defaultResource(client.clientId),
        getResourceServerInfo: (_ctx, resource, client) => resourceServerOf(resource, client.clientId),
      },
    },
  }
  const provider = new Provider(issuer, configuration)
  if (mtlsOrigin) {
    provider.use(async (ctx, next) => {
      await next()
      const isMetadata = ctx.path === '/.well-known/openid-configuration'
      if (isMetadata)
        Object.assign(ctx.body as object, { mtls_endpoint_aliases: { token_endpoint: `${mtlsOrigin}/token` } })
    })
  }
  for (const event of ['client_credentials.issued', 'access_token.issued']) {
    provider.on(event as 'client_credentials.issued', (token) => {
      onIssued(token.jti, token.expiration, { clientId: token.clientId, scope: token.scope })
    })
  }
  if (idJag) {
    serveIdJagExchange(provider, { privateKey, publicKeys }, idJag)
    const resourceServer = ({ oidc: { client } }: TokenEndpointGrantContext, requested: string | undefined) => {
      const resource = requested ?? defaultResource(client.clientId)
      return new provider.ResourceServer(resource, resourceServerOf(resource, client.clientId))
    }
    serveJwtBearer(provider, resourceServer, idJag)
  }
  /** A refresh token, as a person's consent gives one. */
  async function issueRefreshToken({ clientId, api, scope }: RegisteredClient): Promise<string> {
    const client = await provider.Client.find(clientId)
    if (!client) throw new Error(`no client '${clientId}' is registered`)
    const resource = APIS[api].audience
    const grant = new provider.Grant({ accountId: 'administrator', clientId })
    grant.addResourceScope(resource, scope)
    const grantId = await grant.save()
    const consent = { accountId: 'administrator', client, grantId, gty: 'authorization_code', resource, scope }
    return new provider.RefreshToken(consent as ConstructorParameters<typeof provider.RefreshToken>[0]).save()
  }

  return {
    handler: provider.callback(),
    publicKey,
    issueRefreshToken,
    /** An ID token (OpenID Connect Core §2), as a login of `subject` with the client would have issued it. */
    idToken: (clientId: string, subject: string, lifetimeSeconds: number) =>
      new SignJWT({ sub: subject })
        .setProtectedHeader({ alg: 'ES256', kid: 'signing' })
        .setIssuer(issuer)
        .setAudience(clientId)
        .setIssuedAt()
        .setExpirationTime(`${lifetimeSeconds}s`)
        .sign(privateKey),
    async setClientSecret(clientId: string, secret: string): Promise<void> {
      const client = await provider.Client.find(clientId)
      // The type says that it is read-only. oidc-provider reads it for each request.
      if (client) Object.assign(client, { clientSecret: secret })
    },
  }
}
