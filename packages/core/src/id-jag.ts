import type { AccessToken } from './access-token'
import type { ClientConfiguration } from './client-configuration'
import type { ClientDefinition } from './client-definition'
import { type Clock, systemClock } from './clock'
import { createTokenManager } from './create-token-manager'
import { ConfigurationError, TokenRequestError } from './errors'
import { type GrantCredential, type GrantSubject, tokenExchange, tokenExchangeGrant } from './grants'
import { checkedIdJag } from './internal/endpoint/checked-id-jag'
import { copyError } from './internal/endpoint/copy-error'
import { grantRequester } from './internal/endpoint/grant-requester'
import { readJwt } from './internal/endpoint/read-jwt'
import { noteProgress } from './internal/endpoint/request-progress'
import type { TokenManager } from './token-manager'
import type { TokenRequest, TokenRequester } from './token-requester'

const ID_JAG = 'urn:ietf:params:oauth:token-type:id-jag'
const ID_TOKEN = 'urn:ietf:params:oauth:token-type:id_token'
/** How the client at the identity provider is called in errors. */
const NAME = 'identityProvider'
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

type Issuer = TokenManager<typeof NAME>

/** The client at the identity provider: a definition without what the client of the API says. */
export type IdentityProviderClient = Omit<ClientDefinition, 'scope' | 'resource' | 'audience' | 'dpop' | 'requester'>

/** Options of {@link idJag}. */
export interface IdJagOptions {
  /** The client at the identity provider, which issues the ID-JAG: `issuer` or `tokenEndpoint`, `clientId`, and its credential. */
  identityProvider: IdentityProviderClient
  /** What the identity provider has issued about the user: an ID token, or what `subjectTokenType` says. */
  subjectToken: GrantCredential
  /** What the subject token is (RFC 8693 §3), such as a refresh token or a SAML assertion. Default: an ID token. */
  subjectTokenType?: string | undefined
  /** Whom the subject token is about. Default: see {@link GrantSubject}. */
  subject?: GrantSubject | undefined
  /**
   * The name by which the identity provider knows the API's authorization server. Default: its issuer. A definition with a
   * `tokenEndpoint` has no issuer, so there it is required.
   */
  audience?: string | undefined
  /** The time, for tests. Default: the platform's. */
  clock?: Clock | undefined
}

/**
 * The identity assertion grant (draft-ietf-oauth-identity-assertion-authz-grant-04, "cross-app access"): a token for a user of
 * another company's API, without a login there. It belongs to the definition of the client at the API's authorization server. The
 * identity provider issues an ID-JAG in exchange for the subject token (RFC 8693), and the API's authorization server an access token
 * for the ID-JAG (RFC 7523).
 *
 * Scope, resource and parameters go to both servers. An ID-JAG is used again until it or the subject token expires, or the API's
 * authorization server refuses it.
 *
 * A failure at the identity provider is a `TokenRequestError` `credential_unavailable`, and its `cause` is the error of that server.
 * Every other error is one of the API's authorization server.
 *
 * @example
 * createTokenManager({
 *   clients: {
 *     'chat.client': {
 *       issuer: 'https://chat.example', clientId: 'at-chat', clientSecret: '…', scope: 'chat.read',
 *       requester: idJag({
 *         identityProvider: { issuer: 'https://idp.example', clientId: 'at-idp', clientSecret: '…' },
 *         subjectToken: ({ parameters }) => idTokenOf(parameters.user),
 *       }),
 *     },
 *   },
 * })
 *
 * @throws ConfigurationError when `identityProvider` is wrong
 */
export function idJag(options: IdJagOptions): TokenRequester {
  const { clock = systemClock } = options
  const managers = new WeakMap<ClientConfiguration, Issuer>()
  /** Whether the ID-JAG of a request had been presented before. */
  const isReused = new WeakMap<TokenRequest, boolean>()
  const presented = new WeakSet<AccessToken>()
  const { subject, subjectTokenType = ID_TOKEN } = options
  const { identity } = tokenExchange({ subjectToken: subjectTokenOf(options), subject, subjectTokenType })
  // Reports what is wrong with the definition before it is used.
  void idJagIssuer(options, undefined, 'https://as.example').close()

  function issuerFor(client: ClientConfiguration, audience: string): Issuer {
    const issuer = managers.get(client) ?? idJagIssuer(options, client, audience)
    managers.set(client, issuer)
    return issuer
  }

  const bearer = grantRequester(clock, {
    type: JWT_BEARER,
    async parameters(client, request, { issuer }) {
      noteProgress(request.signal, { step: 'supplier', supplier: 'idJag' })
      try {
        const { signal } = request
        const assertion = await issuerFor(client, issuer).getAccessToken(NAME, { ...wanted(request), signal })
        isReused.set(request, presented.has(assertion))
        presented.add(assertion)
        // The identity provider may have granted less.
        return { assertion: assertion.value, ...(assertion.scope !== undefined && { scope: assertion.scope }) }
      } catch (error) {
        throw error instanceof TokenRequestError ? noIdJag(client, error) : error
      }
    },
  })

  return Object.freeze({
    ...bearer,

    async request(client: ClientConfiguration, request: TokenRequest) {
      if (client.issuer === undefined && options.audience === undefined) {
        const message =
          'idJag needs the issuer of the authorization server: give issuer in place of tokenEndpoint, or audience to idJag'
        throw new ConfigurationError([{ client: client.name, option: 'requester', message }])
      }
      try {
        return await bearer.request(client, request)
      } catch (error) {
        if (!isRefusal(error) || !isReused.has(request)) throw error
        await managers.get(client)?.deleteAccessToken(NAME, wanted(request))
        if (!isReused.get(request) || request.signal.aborted) throw refusedIdJag(error)
        // It may have expired on the way, or can be used once only.
        return await bearer.request(client, request).catch((again) => {
          throw isRefusal(again) ? refusedIdJag(again) : again
        })
      }
    },

    ...(identity && {
      identity: async (...request: Parameters<typeof identity>) => `idJag ${await identity(...request)}`,
    }),
  })
}

/** What one request wants of the identity provider. */
function wanted({ scope, resource, parameters, callerParameters = parameters }: TokenRequest) {
  return { scope, resource, parameters: callerParameters }
}

/** The subject token, whose supplier is told the identity provider as the audience. */
function subjectTokenOf({ subjectToken, identityProvider }: IdJagOptions, client?: string): GrantCredential {
  if (typeof subjectToken === 'string') return subjectToken
  const audience = String(identityProvider?.issuer ?? identityProvider?.tokenEndpoint)
  return (context) => subjectToken({ ...context, client: client ?? context.client, audience })
}

/** Gets the ID-JAGs for one client, and keeps them. Without a client, it is never used. */
function idJagIssuer(options: IdJagOptions, client: ClientConfiguration | undefined, issuer: string): Issuer {
  const { identityProvider, subjectTokenType = ID_TOKEN, audience, clock } = options
  const subjectToken = subjectTokenOf(options, client?.name)
  /** When the subject token of a request expires, by the signal of the request. */
  const expiries = new WeakMap<AbortSignal, unknown>()
  const supply: GrantCredential = async (context) => {
    const token = typeof subjectToken === 'string' ? subjectToken : await subjectToken(context)
    if (context.signal) expiries.set(context.signal, expiryOf(token))
    return token
  }
  const expected = { clientId: client?.clientId, issuer: client?.issuer && issuer, audience }
  const requester = grantRequester(clock ?? systemClock, {
    ...tokenExchangeGrant({ subjectToken: supply, subjectTokenType, requestedTokenType: ID_JAG }),
    // The client has one subject for each parameters, which are part of the key.
    identity: async () => ID_JAG,
    check: (response, { signal }, quote) => checkedIdJag(NAME, response, expected, expiries.get(signal), quote),
  })
  const definition = { ...identityProvider, audience: audience ?? issuer, requester }
  return createTokenManager({ clients: { [NAME]: definition }, clock })
}

function expiryOf(token: unknown): unknown {
  return typeof token === 'string' ? readJwt(token)?.claims.exp : undefined
}

function noIdJag(client: ClientConfiguration, cause: TokenRequestError): TokenRequestError {
  const { error, errorDescription, retryable, retryAfterMs, url } = cause
  const why = errorDescription === undefined ? error : `${error} (${errorDescription})`
  return new TokenRequestError({
    client: client.name,
    error: 'credential_unavailable',
    errorDescription: `the identity provider issued no ID-JAG: ${why}`,
    retryable,
    retryAfterMs,
    step: 'supplier',
    url,
    cause,
  })
}

function isRefusal(error: unknown): error is TokenRequestError {
  return error instanceof TokenRequestError && error.error === 'invalid_grant'
}

function refusedIdJag(error: TokenRequestError): TokenRequestError {
  const refused = "the API's authorization server refused the ID-JAG that the identity provider had issued"
  return copyError(error, { errorDescription: [error.errorDescription, refused].filter(Boolean).join('; ') })
}
