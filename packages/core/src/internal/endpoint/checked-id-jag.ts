import { TokenRequestError } from '../../errors'
import type { TokenResponse } from '../../token-requester'
import type { Quote } from './failed-response'
import { readJwt } from './read-jwt'

const ID_JAG = 'urn:ietf:params:oauth:token-type:id-jag'
const TYPE = /^(application\/)?oauth-id-jag\+jwt$/i

/** What an ID-JAG must say. */
export interface ExpectedIdJag {
  /** The client id at the API's authorization server. */
  readonly clientId: string | undefined
  /** The issuer of that server, if it is known. */
  readonly issuer: string | undefined
  /** What was requested in place of the issuer. */
  readonly audience: string | undefined
}

/**
 * The response of an identity provider, with the lifetime that the ID-JAG really has. Whatever is no ID-JAG for this client at
 * that server is refused here: it could be a token that the other server must not see.
 *
 * @param client the name of the client at the identity provider
 * @param subjectExpiry the claim `exp` of the subject token: an ID-JAG is not kept longer. Both times are the identity provider's,
 * so the clock of this machine does not matter.
 * @param quote makes a text of the identity provider's fit to be repeated
 * @throws TokenRequestError `invalid_response`
 */
export function checkedIdJag(
  client: string,
  response: TokenResponse,
  expected: ExpectedIdJag,
  subjectExpiry: unknown,
  quote: Quote,
): TokenResponse {
  const refuse = (what: string): never => {
    const errorDescription = quote(`the response is no ID-JAG: ${what}`)
    throw new TokenRequestError({
      client,
      error: 'invalid_response',
      errorDescription,
      retryable: false,
    })
  }
  const { issued_token_type, token_type, expires_in, access_token } = response
  if (issued_token_type !== ID_JAG) refuse(`issued_token_type is ${shown(issued_token_type)}`)
  if (token_type.toLowerCase() !== 'n_a') refuse(`token_type is ${shown(token_type)}, not N_A`)
  const jwt = readJwt(access_token)
  if (!jwt) return refuse('it is no JWT')
  const { header, claims } = jwt
  if (!TYPE.test(String(header.typ))) refuse(`typ is ${shown(header.typ)}, not oauth-id-jag+jwt`)
  const { aud, client_id, exp, iat } = claims
  const audience = expected.issuer ?? urlOf(expected.audience)
  if (aud !== undefined && audience !== undefined && !isFor(aud, audience)) {
    refuse(`it is for ${shown(aud)}, not for '${audience}'`)
  }
  if (client_id !== undefined && client_id !== expected.clientId) {
    refuse(`its client_id is ${shown(client_id)}, and at the API's authorization server it is '${expected.clientId}'`)
  }
  const lifetimes = [expires_in, since(iat, exp), since(iat, subjectExpiry)].filter((each) => typeof each === 'number')
  return lifetimes.length === 0 ? response : { ...response, expires_in: Math.max(0, Math.min(...lifetimes)) }
}

function since(from: unknown, until: unknown): number | undefined {
  return typeof from === 'number' && typeof until === 'number' ? until - from : undefined
}

/** Exactly one audience: an ID-JAG for several servers could be used by each of them at the others. */
function isFor(claim: unknown, audience: string): boolean {
  const [only, ...others] = Array.isArray(claim) ? claim : [claim]
  return others.length === 0 && (only === audience || (urlOf(only) !== undefined && urlOf(only) === urlOf(audience)))
}

/** In its usual form, so that `https://as.example` and `https://as.example/` are the same. */
function urlOf(text: unknown): string | undefined {
  return typeof text === 'string' && /^https?:/i.test(text) && URL.canParse(text) ? new URL(text).href : undefined
}

function shown(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : String(JSON.stringify(value))
}
