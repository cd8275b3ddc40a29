import type { ClientConfiguration } from '../../client-configuration'
import { TokenRequestError } from '../../errors'
import { copyError } from './copy-error'
import { progressOf } from './request-progress'
import { sensibleRetryAfter } from './retry-after'
import type { SentSecrets } from './sent-secrets'
import { tokenRequestFailure } from './token-request-failure'

/**
 * What a failure says:
 *
 * - `endpoint`: the endpoint fails, for all of its clients
 * - `client`: the endpoint responds, and will refuse every request of this client
 * - `token`: the endpoint responds, and will refuse every request for this token
 * - `supplier`: a supplier of the user's failed, and nothing was sent
 * - `unknown`: the requester failed in a way that says nothing of the endpoint
 */
export type FailureKind = 'endpoint' | 'client' | 'token' | 'supplier' | 'unknown'

const CLIENT_ERRORS = new Set(['invalid_client', 'unauthorized_client'])

export function kindOf({ error, step, retryable }: TokenRequestError): FailureKind {
  if (error === 'credential_unavailable') return 'supplier'
  if (error === 'unexpected_error') return 'unknown'
  if (retryable) return 'endpoint'
  return CLIENT_ERRORS.has(error) || step === 'discovery' ? 'client' : 'token'
}

/** The error for whatever a requester has thrown, with what is known about the request. */
export async function requestError(
  client: ClientConfiguration,
  thrown: unknown,
  secrets: SentSecrets,
  signal: AbortSignal | undefined,
): Promise<TokenRequestError> {
  const error = await tokenRequestFailure(client.name, thrown, secrets)
  const { step, url } = error.step ? error : (progressOf(signal) ?? {})
  return copyError(error, { retryAfterMs: sensibleRetryAfter(error.retryAfterMs), step, url })
}

/** The time limit of a request is over. `signal` is the request's. */
export function timeoutError(
  { name: client, timeoutMs }: ClientConfiguration,
  signal: AbortSignal | undefined,
): TokenRequestError {
  const { step, url, supplier } = progressOf(signal) ?? {}
  const details = { client, retryable: true, step, url }
  if (supplier !== undefined) {
    const errorDescription = `the ${supplier} supplier returned nothing within ${timeoutMs} ms`
    return new TokenRequestError({ ...details, error: 'credential_unavailable', errorDescription })
  }
  return new TokenRequestError({ ...details, error: 'timeout', errorDescription: `no response within ${timeoutMs} ms` })
}
