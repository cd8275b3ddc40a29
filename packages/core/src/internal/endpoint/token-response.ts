import type { AccessToken } from '../../access-token'
import type { ClientConfiguration } from '../../client-configuration'
import { TokenRequestError } from '../../errors'
import type { TokenResponse } from '../../token-requester'
import { createAccessToken, isTokenValue } from '../util/create-access-token'

/** The longest lifetime that is counted with: 100 years. `Date` has an end, and so have the times of stores. */
export const LONGEST_LIFETIME_MS = 100 * 365 * 86_400_000

/** What a token response says. */
export interface ReadToken {
  readonly token: AccessToken
  readonly lifetimeMs: number
  readonly refreshInMs: number | undefined
}

/**
 * The token in a response (RFC 6749 §5.1), and its lifetime.
 *
 * @throws TokenRequestError `invalid_response` when it holds none that could be used.
 */
export function readTokenResponse(
  client: ClientConfiguration,
  response: TokenResponse,
  requestedScope: string | undefined,
  mayBeNA: boolean,
  now: number,
): ReadToken {
  const refuse = (errorDescription: string, retryable: boolean) =>
    new TokenRequestError({ client: client.name, error: 'invalid_response', errorDescription, retryable })

  if (typeof response !== 'object' || response === null) throw refuse('there is no token response', true)
  const { access_token: value, token_type, expires_in, refresh_in, scope } = response
  if (!isTokenValue(value)) throw refuse('access_token is missing, malformed or too long', true)
  if (typeof token_type !== 'string') throw refuse('token_type is missing', true)
  const type = typeOf(client, token_type, mayBeNA)
  if (!type) {
    const expected = client.dpopKeyPair ? 'DPoP' : 'Bearer'
    throw refuse(`the token is of another type than ${expected}, which the client's definition requests`, false)
  }
  const seconds = expires_in === undefined || expires_in === null ? undefined : Number(expires_in)
  if (seconds !== undefined && !(seconds >= 0)) throw refuse('expires_in is malformed', true)
  const lifetimeMs = seconds === undefined ? client.defaultLifetimeMs : Math.min(seconds * 1000, LONGEST_LIFETIME_MS)
  const token = createAccessToken({
    client: client.name,
    value,
    type,
    expiresAt: seconds === undefined ? undefined : new Date(now + lifetimeMs),
    scope: typeof scope === 'string' ? scope : requestedScope,
  })
  const refreshIn = Number(refresh_in)
  const isSensible = refreshIn > 0 && seconds !== undefined && refreshIn < seconds
  return { token, lifetimeMs, refreshInMs: isSensible ? refreshIn * 1000 : undefined }
}

function typeOf(client: ClientConfiguration, tokenType: string, mayBeNA: boolean): AccessToken['type'] | undefined {
  const types: AccessToken['type'][] = client.dpopKeyPair ? ['DPoP'] : mayBeNA ? ['Bearer', 'N_A'] : ['Bearer']
  return types.find((type) => type.toLowerCase() === tokenType.toLowerCase())
}
