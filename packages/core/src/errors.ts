import { printable } from './internal/util/printable'

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
    printable(client === undefined ? `${option}: ${message}` : `client '${client}', ${option}: ${message}`),
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
    super(printable(`no client '${client}' is defined; defined: ${known}`))
    this.client = client
    this.knownClients = Object.freeze([...knownClients])
  }
}

/**
 * Why there is no token: the authorization server's own OAuth code (RFC 6749 §5.2, such as `invalid_client`), or one of
 * tokenward's. `credential_unavailable`: a supplier of the secret, an assertion or another credential failed. `closed`: the
 * manager was closed.
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

/**
 * What was being done: reading the metadata of an API (RFC 9728) or of an issuer, a token request, a revocation, or calling a supplier of
 * the user's.
 */
export type TokenRequestStep = 'resource_metadata' | 'discovery' | 'token_request' | 'revocation' | 'supplier'

/** The fields of a {@link TokenRequestError}. */
export interface TokenRequestErrorDetails {
  client: string
  error: TokenRequestErrorReason
  errorDescription?: string | undefined
  status?: number | undefined
  retryable: boolean
  retryAfterMs?: number | undefined
  step?: TokenRequestStep | undefined
  /** A URL without user name, password, query and fragment. */
  url?: string | undefined
  /** Only what a supplier of the user's threw. It is the user's own object. */
  cause?: unknown
}

const STEPS: Readonly<Record<TokenRequestStep, string>> = {
  resource_metadata: 'protected resource metadata',
  discovery: 'discovery',
  token_request: 'token request',
  revocation: 'revocation',
  supplier: 'supplier',
}

/** There is no token. The call that needed it was not made. */
export class TokenRequestError extends TokenwardError {
  readonly code = 'token_request_failed'
  /** The client's name. */
  readonly client: string
  /** The OAuth error code, or what else went wrong. */
  readonly error: TokenRequestErrorReason
  /** Details, from the authorization server or from tokenward. At most 300 characters of it are the server's. */
  readonly errorDescription: string | undefined
  /** The HTTP status of the response, if there was one. */
  readonly status: number | undefined
  /** Whether the same request may succeed later, with nothing changed. */
  readonly retryable: boolean
  /** How long no new request makes sense, in milliseconds from now, if that is known. At most 300,000. */
  readonly retryAfterMs: number | undefined
  /** What failed, if that is known. */
  readonly step: TokenRequestStep | undefined
  /** The URL that was requested, without query, if there was one. */
  readonly url: string | undefined
  /**
   * What a supplier of the user's threw: the user's own error, which may say anything. It is not part of the message, of
   * events and logs, of `JSON.stringify`, or of what `console.log` and `console.dir` print. Undefined for every other failure.
   */
  declare readonly cause?: unknown

  constructor(details: TokenRequestErrorDetails) {
    const { client, error, errorDescription, status, retryable, retryAfterMs, step, url, cause } = details
    super(describeFailure(details))
    this.client = client
    this.error = error
    this.errorDescription = errorDescription
    this.status = status
    this.retryable = retryable
    this.retryAfterMs = retryAfterMs
    this.step = step
    this.url = url
    if (cause !== undefined) {
      Object.defineProperties(this, {
        // A getter, because console.dir prints the value of a property and skips the custom inspection.
        cause: { get: () => cause },
        [Symbol.for('nodejs.util.inspect.custom')]: { value: () => withoutCause(this, details) },
      })
    }
  }
}

function describeFailure(details: TokenRequestErrorDetails): string {
  const { client, error, errorDescription, step, url } = details
  const what = step === 'revocation' ? 'revocation failed' : 'no access token'
  const description = errorDescription === undefined ? '' : ` (${errorDescription})`
  const where = step && url ? `; ${STEPS[step]}: ${url}` : ''
  return printable(`${what} for client '${client}': ${error}${description}${where}`)
}

/** The error as printers show it. */
function withoutCause(error: TokenRequestError, details: TokenRequestErrorDetails): TokenRequestError {
  const shown = new TokenRequestError({ ...details, cause: undefined })
  Object.defineProperty(shown, 'stack', { value: error.stack })
  return shown
}

/** A client that got no token in a warm-up, and why. */
export interface WarmUpFailure {
  /** The client's name. */
  readonly client: string
  /** An `UnknownClientError`, a `ConfigurationError` or a {@link TokenRequestError}. */
  readonly error: TokenwardError
}

/** `warmUp` found clients that cannot get a token. Each of them is named, with its own error. */
export class WarmUpError extends TokenwardError {
  readonly code = 'warm_up_failed'
  readonly failures: readonly WarmUpFailure[]

  /** @param clients how many clients were to get a token */
  constructor(failures: readonly WarmUpFailure[], clients: number) {
    const lines = failures.map(({ client, error }) => `  ${printable(client)}: ${error.message}`)
    super(`${failures.length} of ${clients} clients cannot get a token:\n${lines.join('\n')}`)
    this.failures = Object.freeze(failures.map((failure) => Object.freeze({ ...failure })))
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
    super(printable(`a token must not go to ${origin}: ${why}`))
    this.origin = origin
    this.allowedOrigins = Object.freeze([...allowedOrigins])
  }
}
