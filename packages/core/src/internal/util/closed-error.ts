import { TokenRequestError } from '../../errors'

/** The error of calls that a closed token manager cannot serve. */
export function closedError(client: string): TokenRequestError {
  const errorDescription = 'the token manager is closed'
  return new TokenRequestError({ client, error: 'closed', errorDescription, retryable: false })
}
