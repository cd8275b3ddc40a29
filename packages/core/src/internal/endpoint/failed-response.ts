import type { TokenRequestErrorDetails } from '../../errors'
import { retryAfterMs } from './retry-after'
import type { ErrorLike } from './thrown-error'

/** What went wrong, apart from whose request it was and where. */
export type Failure = Omit<TokenRequestErrorDetails, 'client' | 'step' | 'url' | 'cause'>

/** Makes a text from elsewhere fit to be repeated. */
export type Quote = (text: string) => string

const TRANSIENT_OAUTH_ERRORS = new Set(['temporarily_unavailable', 'server_error', 'slow_down'])
/** Codes of RFC 6749, 8628, 8693, 8707, 9396 and 9449. They say nothing secret, whatever a secret is called. */
const KNOWN_OAUTH_ERRORS = new Set([
  ...TRANSIENT_OAUTH_ERRORS,
  'access_denied',
  'authorization_pending',
  'expired_token',
  'invalid_authorization_details',
  'invalid_client',
  'invalid_dpop_proof',
  'invalid_grant',
  'invalid_request',
  'invalid_scope',
  'invalid_target',
  'invalid_token',
  'unauthorized_client',
  'unsupported_grant_type',
  'unsupported_token_type',
  'use_dpop_nonce',
])
/** Other codes are repeated when they look like one: a word, or the URI of an extension. */
const OAUTH_ERROR = /^[A-Za-z][\w.:/#-]{0,99}$/

/** A response that is no token response: an OAuth error, or a status that speaks for itself. */
export async function explainResponse(error: ErrorLike, response: Response, quote: Quote): Promise<Failure> {
  const { status, headers } = response
  const answer = { status, retryAfterMs: retryAfterMs(headers, Date.now()) }
  const { code, description } = await oauthError(error, response)
  if (code !== undefined) {
    const isPresentable = KNOWN_OAUTH_ERRORS.has(code) || (OAUTH_ERROR.test(code) && quote(code) === code)
    return {
      ...answer,
      error: isPresentable ? code : 'invalid_response',
      errorDescription: description === undefined ? undefined : quote(description),
      retryable: TRANSIENT_OAUTH_ERRORS.has(code) || isTransient(status),
    }
  }
  if (status === 401) return { ...answer, error: 'invalid_client', retryable: false }
  if (isTransient(status)) {
    return { ...answer, error: 'server_error', errorDescription: `status ${status}`, retryable: true }
  }
  const type = headers.get('content-type')
  const unexpected = `status ${status}, ${type === null ? 'no content type' : quote(type)}`
  // With status 200, it may be a page of something on the way that is gone the next moment.
  return { ...answer, error: 'invalid_response', errorDescription: unexpected, retryable: status === 200 }
}

function isTransient(status: number): boolean {
  return status >= 500 || status === 429 || status === 408
}

async function oauthError(error: ErrorLike, response: Response): Promise<{ code?: string; description?: string }> {
  if (typeof error.error === 'string') return oauthCode(error)
  try {
    if (response.bodyUsed || !/json/i.test(response.headers.get('content-type') ?? '')) return {}
    return oauthCode(await response.json())
  } catch {
    return {}
  }
}

function oauthCode(body: { error?: unknown; error_description?: unknown }): { code?: string; description?: string } {
  const { error: code, error_description: description } = body ?? {}
  if (typeof code !== 'string' || code === '') return {}
  return typeof description === 'string' ? { code, description } : { code }
}
