import { TokenRequestError, type TokenRequestErrorDetails } from '../../errors'

/** A new error that says the same, with `changes`. Each caller gets an error of its own, with its own stack. */
export function copyError(error: TokenRequestError, changes: Partial<TokenRequestErrorDetails>): TokenRequestError {
  const { client, error: reason, errorDescription, status, retryable, retryAfterMs, step, url, cause } = error
  const details = { client, error: reason, errorDescription, status, retryable, retryAfterMs, step, url, cause }
  return new TokenRequestError({ ...details, ...changes })
}
