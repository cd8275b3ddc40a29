import { type Clock, systemClock } from './clock'
import type { Grant } from './internal/endpoint/grant'
import { grantRequester } from './internal/endpoint/grant-requester'
import { refreshTokenRequester } from './internal/endpoint/refresh-token-requester'
import { CredentialIdentities } from './internal/endpoint/subject-identity'
import { callSupplier, suppliedCredential } from './internal/endpoint/supplied-credential'
import type { TokenRequester } from './token-requester'

/** What the supplier of a grant's own credential is told. */
export interface GrantContext {
  /** The client's name. */
  readonly client: string
  /** The authorization server's issuer; the token endpoint's URL when no issuer is known. */
  readonly audience: string
  /** The further form parameters of this token request: they tell one user or tenant from another. */
  readonly parameters: Readonly<Record<string, string>>
  /** Ends when nobody waits for the credential any more: the time of the token request is over, or the manager was closed. */
  readonly signal?: AbortSignal | undefined
}

/**
 * A credential as it is, or a function that supplies it. The function is called for every request to the token endpoint, and
 * once more for each client and parameters to find out whom the credential is about, unless `subject` says that. So what it
 * returns may depend on the context that it is passed, and on nothing else.
 */
export type GrantCredential = string | ((context: GrantContext) => string | Promise<string>)

/**
 * Whom a token is for: any text that is the same for the same subject, or a function that returns it. It becomes part of the
 * token's key, so it must not be a secret. Default: the issuer and subject of the credential if it comes from a supplier and is
 * a JWT, else its SHA-256.
 */
export type GrantSubject = string | ((context: Omit<GrantContext, 'audience' | 'signal'>) => string)

/** Options of {@link clientCredentials}. */
export interface ClientCredentialsOptions {
  /** The time, for tests. Default: the platform's. */
  clock?: Clock | undefined
}

/**
 * The client credentials grant (RFC 6749 §4.4) by openid-client: the default of a token manager. The metadata of an issuer is
 * read when it is first needed, and kept for an hour, or until the token endpoint that it names cannot be reached or is none.
 */
export function clientCredentials({ clock = systemClock }: ClientCredentialsOptions = {}): TokenRequester {
  return grantRequester(clock, { type: 'client_credentials', parameters: async () => ({}) })
}

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

/** Options of {@link jwtBearer}. */
export interface JwtBearerOptions {
  /** The assertion that is the grant: a JWT about the subject of the token. */
  assertion: GrantCredential
  /** Whom the token is for. Default: see {@link GrantSubject}. */
  subject?: GrantSubject | undefined
}

/** The JWT bearer grant (RFC 7523 §2.1): a token for the subject of an assertion. It is cached and renewed as any other. */
export function jwtBearer({ assertion, subject }: JwtBearerOptions): TokenRequester {
  const identities = new CredentialIdentities()
  return grantRequester(systemClock, {
    type: JWT_BEARER,
    async parameters(client, { parameters, callerParameters = parameters, signal }, { issuer }) {
      const context = { client: client.name, audience: issuer, parameters: callerParameters, signal }
      return { assertion: await suppliedCredential('assertion', assertion, signal, context) }
    },
    async identity(client, { parameters }) {
      const named = await namedSubject(subject, client.name, parameters)
      const found = named ?? (await identities.of('assertion', assertion, client, { parameters }))
      return JSON.stringify([JWT_BEARER, named === undefined ? 'credential' : 'subject', found])
    },
  })
}

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'
const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'

/** Options of {@link tokenExchange}. */
export interface TokenExchangeOptions {
  /** The token that is exchanged. */
  subjectToken: GrantCredential
  /** What it is (RFC 8693 §3). Default: an access token. */
  subjectTokenType?: string | undefined
  /** Whom the subject token is about. Default: see {@link GrantSubject}. */
  subject?: GrantSubject | undefined
  /** The token of the party that acts for the subject. */
  actorToken?: GrantCredential | undefined
  /** What that is. Default: an access token. */
  actorTokenType?: string | undefined
  /** The type of token to request. Default: the server decides. */
  requestedTokenType?: string | undefined
}

/**
 * Token exchange (RFC 8693): another token in place of the subject token. It is cached and renewed as any other. The server may
 * issue a token of the type `N_A`, which no API takes.
 */
export function tokenExchange(options: TokenExchangeOptions): TokenRequester {
  return grantRequester(systemClock, tokenExchangeGrant(options))
}

/** The grant of {@link tokenExchange}, for grants that begin with one. */
export function tokenExchangeGrant(options: TokenExchangeOptions): Grant {
  const { subjectToken, subjectTokenType = ACCESS_TOKEN, actorToken, actorTokenType = ACCESS_TOKEN } = options
  const { subject, requestedTokenType } = options
  const identities = new CredentialIdentities()
  return {
    type: TOKEN_EXCHANGE,
    mayIssueNA: true,
    async parameters(client, { parameters, callerParameters = parameters, signal }, { issuer }) {
      const context = { client: client.name, audience: issuer, parameters: callerParameters, signal }
      return {
        subject_token: await suppliedCredential('subjectToken', subjectToken, signal, context),
        subject_token_type: subjectTokenType,
        ...(actorToken !== undefined && {
          actor_token: await suppliedCredential('actorToken', actorToken, signal, context),
          actor_token_type: actorTokenType,
        }),
        ...(requestedTokenType !== undefined && { requested_token_type: requestedTokenType }),
      }
    },
    async identity(client, { parameters }) {
      const named = await namedSubject(subject, client.name, parameters)
      return JSON.stringify([
        TOKEN_EXCHANGE,
        named === undefined ? 'credential' : 'subject',
        named ?? (await identities.of('subjectToken', subjectToken, client, { parameters })),
        subjectTokenType,
        actorToken === undefined ? null : await identities.of('actorToken', actorToken, client, { parameters }),
        actorToken === undefined ? null : actorTokenType,
        requestedTokenType ?? null,
      ])
    },
  }
}

/** How long a refresh token is kept whose response does not say how long it lives. */
const REFRESH_TOKEN_LIFETIME_MS = 90 * 86_400_000

/** Options of {@link refreshToken}. */
export interface RefreshTokenOptions {
  /**
   * The refresh token that a person got for this worker, once: the first token request is sent with it. When it changes, a new consent
   * was given, and what was kept of the old one is not used any more.
   */
  refreshToken: GrantCredential
  /** Whom the tokens are for. Default: see {@link GrantSubject}. */
  subject?: GrantSubject | undefined
  /**
   * How long the newest refresh token is kept, in milliseconds, when the response does not say how long it lives. It should be at
   * least what the server allows. Default 7,776,000,000 (90 days).
   */
  lifetimeMs?: number | undefined
}

/**
 * The refresh token grant (RFC 6749 §6), with rotation: each response may bring the next refresh token, and the old one must not be used
 * again (RFC 9700 §4.14.2). The newest is kept in the manager's store, under a lease, before any caller gets the access token. So it
 * survives a restart, and a fleet uses each refresh token once.
 *
 * Without a store, it is lost when the process ends. A store without leases is for one process.
 *
 * @throws TypeError when `refreshToken` is missing, or `lifetimeMs` is no positive number
 */
export function refreshToken({
  refreshToken: first,
  subject,
  lifetimeMs = REFRESH_TOKEN_LIFETIME_MS,
}: RefreshTokenOptions): TokenRequester {
  if ((typeof first !== 'string' || first === '') && typeof first !== 'function') {
    throw new TypeError(
      'refreshToken: refreshToken must be a string that is not empty, or a function that supplies one',
    )
  }
  if (!(lifetimeMs > 0)) throw new TypeError('refreshToken: lifetimeMs must be a positive number of milliseconds')
  const identities = new CredentialIdentities()
  return refreshTokenRequester({
    clock: systemClock,
    lifetimeMs,
    first({ name, issuer, tokenEndpoint = '' }, { parameters, callerParameters = parameters, signal }) {
      const context = { client: name, audience: issuer ?? tokenEndpoint, parameters: callerParameters, signal }
      return suppliedCredential('refreshToken', first, signal, context)
    },
    async identity(client, { parameters }) {
      const named = await namedSubject(subject, client.name, parameters)
      const found = named ?? (await identities.of('refreshToken', first, client, { parameters }))
      return JSON.stringify(['refresh_token', named === undefined ? 'credential' : 'subject', found])
    },
  })
}

async function namedSubject(
  subject: GrantSubject | undefined,
  client: string,
  parameters: GrantContext['parameters'],
): Promise<string | undefined> {
  return typeof subject === 'function' ? callSupplier('subject', () => subject({ client, parameters })) : subject
}
