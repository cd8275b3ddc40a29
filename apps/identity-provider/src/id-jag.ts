import { randomUUID } from 'node:crypto'
import { createLocalJWKSet, createRemoteJWKSet, type JSONWebKeySet, type JWTPayload, jwtVerify, SignJWT } from 'jose'
import type Provider from 'oidc-provider'
import { errors, type ResourceServerInstance, type TokenEndpointGrantContext } from 'oidc-provider'

const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const ID_TOKEN = 'urn:ietf:params:oauth:token-type:id_token'
const ID_JAG = 'urn:ietf:params:oauth:token-type:id-jag'

/** What a server does with identity assertion grants (draft-ietf-oauth-identity-assertion-authz-grant-04). */
export interface IdJagOptions {
  /** The lifetime of the grants that it issues, in seconds. Default 300. */
  lifetimeSeconds?: number
  /** The client id that a client of this server has at another one. Default: the same. */
  clientIdAt?: (audience: string, clientId: string) => string
  /** The issuers whose grants it accepts. Default: none. */
  trustedIssuers?: readonly string[]
}

/** The key that a server signs with. */
export interface SigningKey {
  readonly privateKey: CryptoKey
  readonly publicKeys: JSONWebKeySet
}

type Exchange = Record<
  'requested_token_type' | 'audience' | 'resource' | 'scope' | 'subject_token' | 'subject_token_type',
  string | undefined
>

/** The part of the identity provider: an ID token in, an ID-JAG out (RFC 8693). */
export function serveIdJagExchange(provider: Provider, key: SigningKey, options: IdJagOptions): void {
  const { lifetimeSeconds = 300, clientIdAt = (_audience, clientId) => clientId } = options
  const parameters = ['requested_token_type', 'audience', 'resource', 'scope', 'subject_token', 'subject_token_type']
  const keys = createLocalJWKSet(key.publicKeys)
  const exchange = async (ctx: TokenEndpointGrantContext<Exchange>) => {
    const { client, params } = ctx.oidc
    const { audience, resource, scope, subject_token = '' } = params
    if (params.requested_token_type !== ID_JAG || params.subject_token_type !== ID_TOKEN) {
      throw new errors.InvalidRequest('only ID tokens are exchanged, for ID-JAGs')
    }
    if (!audience) throw new errors.InvalidRequest('audience is missing')
    const { clientId } = client
    const { sub } = await verified('subject_token', subject_token, keys, {
      issuer: provider.issuer,
      audience: clientId,
    })
    const claims = { sub: String(sub), client_id: clientIdAt(audience, clientId), resource, scope }
    const assertion = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'ES256', typ: 'oauth-id-jag+jwt', kid: 'signing' })
      .setIssuer(provider.issuer)
      .setAudience(audience)
      .setJti(randomUUID())
      .setIssuedAt()
      .setExpirationTime(`${lifetimeSeconds}s`)
      .sign(key.privateKey)
    ctx.body = {
      issued_token_type: ID_JAG,
      access_token: assertion,
      token_type: 'N_A',
      scope,
      expires_in: lifetimeSeconds,
    }
  }
  provider.registerGrantType<Exchange>(TOKEN_EXCHANGE, exchange, parameters)
}

/**
 * The part of the API's authorization server: an ID-JAG in, an access token out (RFC 7523).
 *
 * @param resourceServer finds the API of a resource
 */
export function serveJwtBearer(
  provider: Provider,
  resourceServer: (ctx: TokenEndpointGrantContext, resource: string | undefined) => ResourceServerInstance,
  { trustedIssuers = [] }: IdJagOptions,
): void {
  const keysOf = new Map(trustedIssuers.map((issuer) => [issuer, createRemoteJWKSet(new URL(`${issuer}/jwks`))]))
  const bearer = async (ctx: TokenEndpointGrantContext<{ assertion?: string }>) => {
    const { client, params } = ctx.oidc
    const { assertion = '' } = params
    const issuer = unverifiedIssuer(assertion)
    const keys = keysOf.get(issuer)
    if (!keys) throw invalidGrant('the issuer of the assertion is not trusted')
    const { sub, client_id, resource, scope } = await verified('assertion', assertion, keys, {
      issuer,
      audience: provider.issuer,
      typ: 'oauth-id-jag+jwt',
    })
    if (client_id !== client.clientId) throw invalidGrant('the assertion is for another client')
    const granted = new Set(client.scope?.split(' '))
    const scopes = String(scope ?? '').split(' ')
    const token = new provider.AccessToken({
      client,
      accountId: String(sub),
      scope: scopes.filter((each) => granted.has(each)).join(' '),
      gty: JWT_BEARER,
      grantId: randomUUID(),
    } as ConstructorParameters<typeof provider.AccessToken>[0])
    token.resourceServer = resourceServer(ctx, resource === undefined ? undefined : String(resource))
    const value = await token.save()
    ctx.body = { access_token: value, token_type: 'Bearer', expires_in: token.expiration, scope: token.scope }
  }
  provider.registerGrantType<{ assertion?: string }>(JWT_BEARER, bearer, ['assertion', 'resource', 'scope'])
}

async function verified(
  what: string,
  jwt: string,
  keys: Parameters<typeof jwtVerify>[1] | ReturnType<typeof createRemoteJWKSet>,
  expected: { issuer: string; audience: string; typ?: string },
): Promise<JWTPayload> {
  try {
    const options = { ...expected, requiredClaims: ['exp', 'sub'] }
    return (await jwtVerify(jwt, keys as ReturnType<typeof createRemoteJWKSet>, options)).payload
  } catch (error) {
    throw invalidGrant(`${what} is refused: ${(error as Error).message}`)
  }
}

/** oidc-provider keeps the description of an `invalid_grant` to itself, unless it is a custom error. */
function invalidGrant(description: string): Error {
  return new errors.CustomOIDCProviderError('invalid_grant', description)
}

function unverifiedIssuer(jwt: string): string {
  try {
    return String(JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString('utf8')).iss)
  } catch {
    return ''
  }
}
