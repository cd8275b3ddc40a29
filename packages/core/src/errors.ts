/** What every error of tokenward extends. `code` is stable and tells the classes apart. */
export abstract class TokenwardError extends Error {
  abstract readonly code: string

  constructor(message: string) {
    super(message)
    // An own property would be printed twice; the name of the class is what a log should show.
    Object.defineProperty(this, 'name', { value: new.target.name, configurable: true })
  }
}

/** One thing that is wrong with a configuration. */
export interface ConfigurationProblem {
  /** The client's name, or undefined when the option is the manager's or an adapter's own. */
  readonly client?: string | undefined
  /** The option, as it is typed: `clientId`, `parameters.tenant`. */
  readonly option: string
  /** What is wrong with it and how to mend it. */
  readonly message: string
}

/** Something that cannot be right was configured or asked for; every problem that was found is named. */
export class ConfigurationError extends TokenwardError {
  readonly code = 'invalid_configuration'
  readonly problems: readonly ConfigurationProblem[]

  constructor(problems: readonly ConfigurationProblem[]) {
    super(describeProblems(problems))
    this.problems = Object.freeze(problems.map((problem) => Object.freeze({ ...problem })))
  }
}

function describeProblems(problems: readonly ConfigurationProblem[]): string {
  const lines = problems.map(({ client, option, message }) =>
    client === undefined ? `${option}: ${message}` : `client '${client}', ${option}: ${message}`,
  )
  return lines.length === 1 ? String(lines[0]) : `${lines.length} problems:\n${lines.map((l) => `  ${l}`).join('\n')}`
}

/** No client of that name is defined. */
export class UnknownClientError extends TokenwardError {
  readonly code = 'unknown_client'
  /** The name that was asked for. */
  readonly client: string
  /** The names that are known. */
  readonly knownClients: readonly string[]

  constructor(client: string, knownClients: readonly string[]) {
    const known = knownClients.map((name) => `'${name}'`).join(', ') || 'none'
    super(`no client '${client}' is defined; defined: ${known}`)
    this.client = client
    this.knownClients = Object.freeze([...knownClients])
  }
}

/**
 * Why a token could not be had: the authorization server's own OAuth code (RFC 6749 §5.2, such as `invalid_client`),
 * or one of ours. `credential_unavailable`: a supplier of the secret or the assertion failed. `closed`: the manager
 * was closed.
 */
export type TokenRequestErrorReason =
  | 'timeout'
  | 'network_error'
  | 'server_error'
  | 'invalid_response'
  | 'credential_unavailable'
  | 'closed'
  | 'invalid_client'
  | 'invalid_grant'
  | 'invalid_request'
  | 'invalid_scope'
  | 'invalid_target'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | (string & {})

/** What a {@link TokenRequestError} carries. */
export interface TokenRequestErrorDetails {
  client: string
  error: TokenRequestErrorReason
  errorDescription?: string | undefined
  status?: number | undefined
  retryable: boolean
  retryAfterMs?: number | undefined
}

/** A token could not be had; the call that needed it was not made. */
export class TokenRequestError extends TokenwardError {
  readonly code = 'token_request_failed'
  /** The client's name. */
  readonly client: string
  /** The OAuth error code, or what else went wrong. */
  readonly error: TokenRequestErrorReason
  /** What the authorization server, or the failure, says about it. */
  readonly errorDescription: string | undefined
  /** The HTTP status of the answer, when there was one. */
  readonly status: number | undefined
  /** Whether the same request may succeed later, with nothing changed. */
  readonly retryable: boolean
  /** The earliest moment at which a new try makes sense, in milliseconds from now, where that is known. */
  readonly retryAfterMs: number | undefined

  constructor(details: TokenRequestErrorDetails) {
    const { client, error, errorDescription, status, retryable, retryAfterMs } = details
    const description = errorDescription === undefined ? '' : ` (${errorDescription})`
    super(`no access token for client '${client}': ${error}${description}`)
    this.client = client
    this.error = error
    this.errorDescription = errorDescription
    this.status = status
    this.retryable = retryable
    this.retryAfterMs = retryAfterMs
  }
}

/** A request was about to send a token to an origin that must not get it. Nothing was sent. */
export class OriginNotAllowedError extends TokenwardError {
  readonly code = 'origin_not_allowed'
  /** The origin of the request. For a URL that is not http(s), its scheme. */
  readonly origin: string
  /** The origins that tokens of this HTTP client may go to. */
  readonly allowedOrigins: readonly string[]

  /** @param reason `plain http`: the origin is allowed, but the token would travel in clear text */
  constructor(origin: string, allowedOrigins: readonly string[], reason?: 'plain http') {
    const why = reason
      ? 'it would travel by plain http; use https, or set allowInsecureRequests in the definition'
      : `allowed: ${allowedOrigins.join(', ')} (see allowedOrigins)`
    super(`a token must not go to ${origin}: ${why}`)
    this.origin = origin
    this.allowedOrigins = Object.freeze([...allowedOrigins])
  }
}
