import { type Clock, systemClock } from './clock'
import { supplied } from './internal/endpoint/client-authentication'
import { grantRequester } from './internal/endpoint/grant-requester'
import type { TokenRequester } from './token-requester'

/** What the supplier of a grant's own credential is told. */
export interface GrantContext {
  /** The client's name. */
  readonly client: string
  /** The authorization server's issuer; the token endpoint's URL when no issuer is known. */
  readonly audience: string
  /** The further form parameters of this token request: they tell one user or tenant from another. */
  readonly parameters: Readonly<Record<string, string>>
}

/** A credential as it is, or a function that supplies it and is asked for every request to the token endpoint. */
export type GrantCredential = string | ((context: GrantContext) => string | Promise<string>)

/** Options of {@link clientCredentials}. */
export interface ClientCredentialsOptions {
  /** The time, for tests. Default: the platform's. */
  clock?: Clock | undefined
}

/**
 * The client credentials grant (RFC 6749 §4.4) by openid-client: what a token manager uses when it is told of no
 * other. Metadata of an issuer is discovered when first needed and kept for an hour, or until a request that rests on
 * it fails in a way that other metadata could mend.
 */
export function clientCredentials({ clock = systemClock }: ClientCredentialsOptions = {}): TokenRequester {
  return grantRequester(clock, { type: 'client_credentials', parameters: async () => ({}) })
}

/** Options of {@link jwtBearer}. */
export interface JwtBearerOptions {
  /** The assertion that is the grant: a JWT about whom the token is for. */
  assertion: GrantCredential
}

/** The JWT bearer grant (RFC 7523 §2.1): a token for whom an assertion speaks of, cached and renewed as any other. */
export function jwtBearer({ assertion }: JwtBearerOptions): TokenRequester {
  return grantRequester(systemClock, {
    type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
    async parameters(client, { parameters, signal }, { issuer }, secrets) {
      const context = { client: client.name, audience: issuer, parameters }
      const jwt = await supplied('assertion', assertion, signal, context)
      secrets.push(jwt)
      return { assertion: jwt }
    },
  })
}

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'

/** Options of {@link tokenExchange}. */
export interface TokenExchangeOptions {
  /** The token that is exchanged. */
  subjectToken: GrantCredential
  /** What it is (RFC 8693 §3). Default: an access token. */
  subjectTokenType?: string | undefined
  /** The token of who acts for the subject. */
  actorToken?: GrantCredential | undefined
  /** What that is. Default: an access token. */
  actorTokenType?: string | undefined
  /** What is asked for. Default: the server decides. */
  requestedTokenType?: string | undefined
}

/** Token exchange (RFC 8693): another token in place of one that is at hand, cached and renewed as any other. */
export function tokenExchange(options: TokenExchangeOptions): TokenRequester {
  const { subjectToken, subjectTokenType = ACCESS_TOKEN, actorToken, actorTokenType = ACCESS_TOKEN } = options
  return grantRequester(systemClock, {
    type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    async parameters(client, { parameters, signal }, { issuer }, secrets) {
      const context = { client: client.name, audience: issuer, parameters }
      const subject = await supplied('subjectToken', subjectToken, signal, context)
      const actor = actorToken === undefined ? undefined : await supplied('actorToken', actorToken, signal, context)
      secrets.push(subject, ...(actor === undefined ? [] : [actor]))
      return {
        subject_token: subject,
        subject_token_type: subjectTokenType,
        ...(actor !== undefined && { actor_token: actor, actor_token_type: actorTokenType }),
        ...(options.requestedTokenType !== undefined && { requested_token_type: options.requestedTokenType }),
      }
    },
  })
}
