import { TokenRequestError, type TokenRequestErrorDetails } from '../../errors'

/** A supplier of the caller's (of a secret, of an assertion) failed. */
export class CredentialUnavailable extends Error {}

type Failure = Omit<TokenRequestErrorDetails, 'client'>

const TRANSIENT_OAUTH_ERRORS = new Set(['temporarily_unavailable', 'server_error', 'slow_down'])
const MAX_DESCRIPTION = 300

/**
 * What went wrong, said in our own words. Nothing of the thrown error itself goes along: its cause may hold the
 * response with the token in it, and its message may quote a header or a body.
 */
export async function tokenRequestFailure(
  client: string,
  thrown: unknown,
  secrets: readonly string[] = [],
): Promise<TokenRequestError> {
  if (thrown instanceof TokenRequestError) return thrown
  const { errorDescription, ...failure } = await explain(thrown)
  const described = errorDescription === undefined ? undefined : presentable(errorDescription, secrets)
  return new TokenRequestError({ client, ...failure, errorDescription: described })
}

async function explain(thrown: unknown): Promise<Failure> {
  const error = asErrorLike(thrown)
  // openid-client wraps what its client authentication throws.
  const unavailable = causes(thrown).find((cause) => cause instanceof CredentialUnavailable)
  if (unavailable) return { error: 'credential_unavailable', errorDescription: unavailable.message, retryable: true }
  const response = error.response ?? (error.cause instanceof Response ? error.cause : undefined)
  if (response) return explainAnswer(error, response)
  const names = causes(thrown).map(({ name }) => name)
  if (names.includes('TimeoutError')) {
    return { error: 'timeout', errorDescription: 'no answer within the time limit', retryable: true }
  }
  switch (error.code) {
    case 'OAUTH_PARSE_ERROR':
      // The connection may have broken in the middle of the body; either way the answer is no JSON.
      return { error: 'invalid_response', errorDescription: 'the answer is not valid JSON', retryable: true }
    case 'OAUTH_INVALID_RESPONSE':
      return {
        error: 'invalid_response',
        errorDescription: 'access_token, token_type or expires_in is missing or malformed',
        retryable: true,
      }
    case 'OAUTH_UNSUPPORTED_OPERATION':
      return { error: 'invalid_response', errorDescription: 'the token type is unknown', retryable: false }
    case 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED':
      return {
        error: 'invalid_response',
        errorDescription: "the discovered metadata names another issuer than the definition's",
        retryable: false,
      }
    case 'OAUTH_HTTP_REQUEST_FORBIDDEN':
    case 'OAUTH_REQUEST_PROTOCOL_FORBIDDEN':
      return {
        error: 'invalid_response',
        errorDescription: 'the endpoint is not https; allowInsecureRequests would permit plain http',
        retryable: false,
      }
  }
  if (names.includes('TypeError') || names.includes('AbortError')) {
    const code = causes(thrown).find((cause) => typeof cause.code === 'string' && !cause.code.startsWith('OAUTH_'))
    return { error: 'network_error', errorDescription: code?.code ?? 'the connection failed', retryable: true }
  }
  return { error: 'unexpected_error', errorDescription: error.name, retryable: false }
}

/** An answer that is no token response: an OAuth error, or a status that speaks for itself. */
async function explainAnswer(error: ErrorLike, response: Response): Promise<Failure> {
  const { status } = response
  const answer = { status, retryAfterMs: retryAfterMs(response.headers) }
  const { code, description } = await oauthError(error, response)
  if (code !== undefined) {
    const transient = TRANSIENT_OAUTH_ERRORS.has(code) || status === 429
    return { ...answer, error: code, errorDescription: description, retryable: transient }
  }
  if (status === 401) return { ...answer, error: 'invalid_client', retryable: false }
  if (status >= 500 || status === 429 || status === 408) {
    return { ...answer, error: 'server_error', errorDescription: `status ${status}`, retryable: true }
  }
  // A page in place of JSON may come from something on the way that has its moment; another status says it is ours.
  const unexpected = `status ${status}, ${response.headers.get('content-type') ?? 'no content type'}`
  return { ...answer, error: 'invalid_response', errorDescription: unexpected, retryable: status === 200 }
}

async function oauthError(error: ErrorLike, response: Response): Promise<{ code?: string; description?: string }> {
  if (typeof error.error === 'string') return oauthCode(error)
  try {
    if (response.bodyUsed) return {}
    if (!/json/i.test(response.headers.get('content-type') ?? '')) {
      await response.body?.cancel()
      return {}
    }
    return oauthCode(await response.json())
  } catch {
    return {}
  }
}

function oauthCode(body: { error?: unknown; error_description?: unknown }): { code?: string; description?: string } {
  if (typeof body?.error !== 'string' || body.error === '') return {}
  const code = body.error.slice(0, 100)
  return typeof body.error_description === 'string' ? { code, description: body.error_description } : { code }
}

/** `Retry-After` in both its forms (RFC 9110 §10.2.3); a date is compared with the server's own clock where it says. */
function retryAfterMs(headers: Headers): number | undefined {
  const value = headers.get('retry-after')?.trim()
  if (!value) return undefined
  if (/^\d+$/.test(value)) return Number(value) * 1000
  const until = Date.parse(value)
  const serverNow = Date.parse(headers.get('date') ?? '')
  if (Number.isNaN(until)) return undefined
  return Math.max(0, until - (Number.isNaN(serverNow) ? Date.now() : serverNow))
}

interface ErrorLike {
  readonly name?: string
  readonly message?: string
  readonly code?: string
  readonly error?: unknown
  readonly error_description?: unknown
  readonly response?: Response | undefined
  readonly cause?: unknown
}

function asErrorLike(thrown: unknown): ErrorLike {
  return typeof thrown === 'object' && thrown !== null ? thrown : {}
}

function causes(thrown: unknown): ErrorLike[] {
  const chain: ErrorLike[] = []
  let next = thrown
  while (typeof next === 'object' && next !== null && chain.length < 8) {
    chain.push(next)
    next = asErrorLike(next).cause
  }
  return chain
}

/** A server's words as they may stand in a log: in one line, not endless, and without a secret that they quote. */
function presentable(text: string, secrets: readonly string[]): string {
  let shown = text
  for (const secret of secrets) if (secret !== '') shown = shown.replaceAll(secret, '[redacted]')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  shown = shown.replace(/[\u0000-\u001f\u007f]+/g, ' ')
  return shown.length > MAX_DESCRIPTION ? `${shown.slice(0, MAX_DESCRIPTION)}…` : shown
}
