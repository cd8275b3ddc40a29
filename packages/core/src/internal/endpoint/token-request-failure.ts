import { TokenRequestError, type TokenRequestStep } from '../../errors'
import { explainResponse, type Failure, type Quote } from './failed-response'
import { SentSecrets } from './sent-secrets'
import { presentable } from './server-text'
import { CredentialUnavailable } from './supplied-credential'
import { asErrorLike, causesOf, type ErrorLike } from './thrown-error'
import { InsecureEndpoint, ResponseTooLarge } from './transport-errors'

/**
 * What went wrong, in tokenward's own words. Nothing of the thrown error itself goes along: its cause may hold the response
 * with the token in it, and its message may quote a header or a body.
 *
 * @param at the request that was under way
 */
export async function tokenRequestFailure(
  client: string,
  thrown: unknown,
  secrets: SentSecrets = new SentSecrets(),
  at?: { readonly step: TokenRequestStep; readonly url: string },
): Promise<TokenRequestError> {
  if (thrown instanceof TokenRequestError) return thrown
  const quote = (text: string) => presentable(text, secrets)
  // openid-client wraps what its client authentication and its transport throw.
  const own = causesOf(thrown).find((cause) => cause instanceof TokenRequestError)
  if (own?.client === client) return own
  const unavailable = causesOf(thrown).find((cause) => cause instanceof CredentialUnavailable)
  if (unavailable) {
    const { message: errorDescription = '', cause } = unavailable
    const error = 'credential_unavailable'
    return new TokenRequestError({ client, error, errorDescription, retryable: true, step: 'supplier', cause })
  }
  const failure = await explain(asErrorLike(thrown), causesOf(thrown), quote)
  return new TokenRequestError({ client, ...failure, step: at?.step, url: at?.url })
}

async function explain(error: ErrorLike, causes: readonly ErrorLike[], quote: Quote): Promise<Failure> {
  const response = error.response ?? (error.cause instanceof Response ? error.cause : undefined)
  if (response) return explainResponse(error, response, quote)
  if (causes.some((cause) => cause instanceof ResponseTooLarge))
    return invalid('the response is longer than 1 MiB', true)
  if (causes.some((cause) => cause instanceof InsecureEndpoint)) {
    return invalid('the endpoint is not https; allowInsecureRequests would permit plain http', false)
  }
  const names = causes.map(({ name }) => name)
  if (names.includes('TimeoutError')) {
    return { error: 'timeout', errorDescription: 'no response within the time limit', retryable: true }
  }
  const known = explainCode(error, quote)
  if (known) return known
  if (names.includes('TypeError') || names.includes('AbortError')) {
    const { code } = causes.find(({ code }) => typeof code === 'string' && !code.startsWith('OAUTH_')) ?? {}
    return { error: 'network_error', errorDescription: code ? quote(code) : 'the connection failed', retryable: true }
  }
  return { error: 'unexpected_error', errorDescription: quote(String(error.name ?? 'unknown')), retryable: false }
}

/** By the code of an error of openid-client that has no response. */
function explainCode(error: ErrorLike, quote: Quote): Failure | undefined {
  switch (error.code) {
    case 'OAUTH_PARSE_ERROR':
      return invalid('the response is not valid JSON', true)
    case 'OAUTH_INVALID_RESPONSE':
      return invalid('access_token, token_type or expires_in is missing or malformed', true)
    case 'OAUTH_UNSUPPORTED_OPERATION':
      return invalid('the token type is unknown', false)
    case 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED':
      return invalid(describeMismatch(error.cause, quote), false)
    case 'OAUTH_MISSING_SERVER_METADATA':
    case 'OAUTH_INVALID_SERVER_METADATA':
      return invalid('the metadata of the issuer has no valid URL for the endpoint', false)
    case 'OAUTH_HTTP_REQUEST_FORBIDDEN':
    case 'OAUTH_REQUEST_PROTOCOL_FORBIDDEN':
      return invalid('the endpoint is not https; allowInsecureRequests would permit plain http', false)
    default:
      return undefined
  }
}

function invalid(errorDescription: string, retryable: boolean): Failure {
  return { error: 'invalid_response', errorDescription, retryable }
}

function describeMismatch(cause: unknown, quote: Quote): string {
  const { expected, body } = (cause ?? {}) as { expected?: unknown; body?: { issuer?: unknown } }
  const found = quote(String(body?.issuer))
  return `the issuer of the metadata is '${found}', but the definition has '${String(expected)}'`
}
