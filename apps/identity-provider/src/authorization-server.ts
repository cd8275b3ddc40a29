import { exportJWK, generateKeyPair, type JWK } from 'jose'
import Provider, { type Configuration, errors } from 'oidc-provider'
import { APIS, type ApiName, type RegisteredClient } from './clients'
import { memoryAdapter } from './memory-adapter'

export interface AuthorizationServerOptions {
  readonly issuer: string
  readonly clients: readonly RegisteredClient[]
  /** The lifetime of a token, seconds, asked for each. */
  tokenLifetime(clientId: string): number
  /** Told of each token that is issued, with its lifetime in seconds. */
  onIssued(tokenId: string, lifetime: number): void
}

/** An OAuth 2.0 authorization server that issues RFC 9068 JWTs for the APIs. */
export async function createAuthorizationServer(options: AuthorizationServerOptions) {
  const { issuer, clients, tokenLifetime, onIssued } = options
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
  const signingKey: JWK = { ...(await exportJWK(privateKey)), alg: 'ES256', use: 'sig', kid: 'signing' }
  const apiOf = new Map(clients.map(({ clientId, api }) => [clientId, api]))
  const apis = Object.entries(APIS) as [ApiName, (typeof APIS)[ApiName]][]

  const configuration: Configuration = {
    adapter: memoryAdapter(),
    jwks: { keys: [signingKey] },
    cookies: { keys: ['of no use here'] },
    scopes: apis.flatMap(([, { scopes }]) => scopes),
    clients: clients.map(({ clientId, clientSecret, scope, metadata }) => ({
      client_id: clientId,
      client_secret: clientSecret,
      scope,
      grant_types: ['client_credentials'],
      response_types: [],
      redirect_uris: [],
      // The default needs an RSA key that nothing else here does.
      id_token_signed_response_alg: 'ES256',
      ...metadata,
    })),
    ttl: { ClientCredentials: (_ctx, _token, client) => tokenLifetime(client.clientId) },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: (_ctx, client) => APIS[apiOf.get(client.clientId) ?? 'catalog'].audience,
        getResourceServerInfo(_ctx, resource, client) {
          const [, api] = apis.find(([, { audience }]) => audience === resource) ?? []
          if (!api) throw new errors.InvalidTarget()
          return {
            audience: api.audience,
            scope: api.scopes.join(' '),
            accessTokenFormat: 'jwt',
            accessTokenTTL: tokenLifetime(client.clientId),
            jwt: { sign: { alg: 'ES256' } },
          }
        },
      },
    },
  }
  const provider = new Provider(issuer, configuration)
  provider.on('client_credentials.issued', (token) => onIssued(token.jti, token.expiration))
  return { handler: provider.callback(), publicKey }
}
