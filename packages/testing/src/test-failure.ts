import { ConfigurationError, TokenRequestError, type TokenRequestErrorReason } from '@tokenward/core'

/** A failure of a token request. */
export interface TestFailure {
  /** The OAuth error code, or what else goes wrong: `invalid_client`, `timeout`, `server_error`, … */
  error: TokenRequestErrorReason
  /** What the server says about it. Default: nothing. */
  errorDescription?: string | undefined
  /** The HTTP status of the response. Default: the usual one for `error`; none where there is no response. */
  status?: number | undefined
  /** Whether the same request may succeed later. Default: as `error` says. True for `timeout`, for example. */
  retryable?: boolean | undefined
  /** For how long no new request makes sense (the `Retry-After` header), in milliseconds. Up to 300,000. Default: unknown. */
  retryAfterMs?: number | undefined
}

const FAILURE_OPTIONS = [
  'error',
  'errorDescription',
  'status',
  'retryable',
  'retryAfterMs',
] as const satisfies readonly (keyof TestFailure)[]

const WITHOUT_RESPONSE = new Set(['timeout', 'network_error', 'credential_unavailable', 'closed'])
const STATUSES = new Map([
  ['server_error', 503],
  ['temporarily_unavailable', 503],
  ['invalid_response', 200],
  ['invalid_client', 401],
])
const RETRYABLE = new Set([
  'timeout',
  'network_error',
  'server_error',
  'temporarily_unavailable',
  'invalid_response',
  'credential_unavailable',
])

/** @throws ConfigurationError when the failure is none */
export function checkFailure(client: string, given: TestFailure | TokenRequestErrorReason): TestFailure {
  const failure = typeof given === 'string' ? { error: given } : { ...given }
  const problems: string[] = []
  for (const option of Object.keys(failure)) {
    if (!(FAILURE_OPTIONS as readonly string[]).includes(option)) {
      problems.push(`${option} is not an option; known: ${FAILURE_OPTIONS.join(', ')}`)
    }
  }
  if (typeof failure.error !== 'string' || failure.error === '') {
    problems.push("error must be the code of the failure, such as 'invalid_client' or 'timeout'")
  }
  const { retryAfterMs } = failure
  if (retryAfterMs !== undefined && !(retryAfterMs >= 0 && retryAfterMs <= 300_000)) {
    problems.push(`retryAfterMs must be a number of milliseconds from 0 to 300,000, not ${retryAfterMs}`)
  }
  if (problems.length === 0) return failure
  throw new ConfigurationError(problems.map((message) => ({ client, option: 'failure', message })))
}

export function toError(client: string, url: string, failure: TestFailure): TokenRequestError {
  const { error, errorDescription, retryAfterMs } = failure
  const { status = WITHOUT_RESPONSE.has(error) ? undefined : (STATUSES.get(error) ?? 400) } = failure
  const { retryable = RETRYABLE.has(error) } = failure
  const at =
    error === 'credential_unavailable' ? ({ step: 'supplier' } as const) : ({ step: 'token_request', url } as const)
  return new TokenRequestError({ client, error, errorDescription, status, retryable, retryAfterMs, ...at })
}
