import type { AccessToken } from './access-token'
import { OriginNotAllowedError } from './errors'
import { OptionChecks, Problems } from './internal/util/option-checks'
import type { TokenManager, TokenParameters } from './token-manager'

/** A request on its way to an API, as far as its token depends on it. */
export interface OutgoingRequest {
  readonly method: string
  readonly url: URL
  readonly headers: Headers
}

/** What the token of a request is asked for with: fixed, or worked out from the request. */
export type RequestTokenParameters =
  | TokenParameters
  | ((request: OutgoingRequest) => TokenParameters | Promise<TokenParameters>)

/** What one call of an HTTP client may decide otherwise than the client's own options. */
export interface AuthorizedCallOptions {
  /** What the token is asked for with, in place of the client's definition's. */
  tokenParameters?: RequestTokenParameters | undefined
  /** Whether a request that is answered 401 is sent once more with a new token. Default true. */
  retryOn401?: boolean | undefined
  /** Claims of the DPoP proofs beside those of RFC 9449; they matter to DPoP clients only. */
  proofClaims?: Readonly<Record<string, unknown>> | undefined
}

/** The options that every adapter has beside those of its own library. One of `baseURL` and `allowedOrigins`. */
export interface AuthorizedClientOptions extends AuthorizedCallOptions {
  /** What a relative URL is joined to; tokens may go to its origin. */
  baseURL?: string | URL | undefined
  /** The origins that tokens may go to, beside the one of `baseURL`. */
  allowedOrigins?: readonly (string | URL)[] | undefined
}

/** What a request is sent with. */
export interface RequestAuthorization {
  /** Lower-case names; they take the place of headers of the same name. */
  readonly headers: Readonly<Record<string, string>>
  /**
   * Whether the sender has to follow redirects itself, by {@link redirected}. A DPoP proof is good for one URL, and HTTP
   * clients carry it along to others.
   */
  readonly followsRedirects: boolean
  /**
   * What a request is sent with that a redirect has led to `url`: undefined when no token may go there, and then
   * `authorization` and `dpop` must not either.
   */
  redirected(method: string, url: URL): Promise<Readonly<Record<string, string>> | undefined>
  /**
   * Decides what an answer means. Resolves to what the request is sent with once more, or to undefined when the answer
   * is the caller's. A token that the API rejected is given up in both cases.
   *
   * @param replayable whether the request's body can be sent a second time
   * @throws TokenRequestError when the new token could not be had
   */
  next(answer: ApiResponse, replayable: boolean): Promise<RequestAuthorization | undefined>
}

/** What an API answered, as far as it concerns the token. */
export interface ApiResponse {
  readonly status: number
  readonly headers: { get(name: string): string | null }
  /** The URL that the answer came from, after redirects; undefined or empty: the request's own. */
  readonly url?: string | undefined
  /** Lets the answer go: called when it is nobody's, because the request is made once more. Must not reject. */
  discard?(): void | Promise<void>
}

/** Decides, for one client and its APIs, where tokens go and what a 401 means. Every adapter is built on it. */
export interface RequestAuthorizer {
  /** The URL of a request: `input` itself when it is absolute, else joined to `baseURL` as ofetch and axios do. */
  resolve(input: string | URL): URL
  /**
   * What `request` is to be sent with.
   *
   * @throws OriginNotAllowedError when no token may go there; none was asked for then
   * @throws TokenRequestError when none can be had
   */
  authorize(
    request: OutgoingRequest,
    options?: AuthorizedCallOptions & { signal?: AbortSignal | undefined },
  ): Promise<RequestAuthorization>
}

/**
 * @throws ConfigurationError when neither `baseURL` nor `allowedOrigins` says where tokens may go, or one does not parse
 */
export function createRequestAuthorizer<Name extends string>(
  tokens: TokenManager<Name>,
  client: Name,
  options: AuthorizedClientOptions,
): RequestAuthorizer {
  const { base, allowedOrigins } = destinations(client, options)

  async function authorize(
    request: OutgoingRequest,
    call: AuthorizedCallOptions & { signal?: AbortSignal | undefined } = {},
  ): Promise<RequestAuthorization> {
    const { origin } = request.url
    if (!allowedOrigins.has(origin)) throw new OriginNotAllowedError(origin, [...allowedOrigins])
    const source = call.tokenParameters ?? options.tokenParameters
    const parameters = (typeof source === 'function' ? await source(request) : source) ?? {}
    const { signal, proofClaims = options.proofClaims, retryOn401 = options.retryOn401 ?? true } = call
    const token = await tokens.getAccessToken(client, { ...parameters, signal })
    return present(token, { renewed: false, challenged: false })

    /** Each of the two reasons to send a request once more counts once. */
    async function present(
      token: AccessToken,
      spent: { renewed: boolean; challenged: boolean },
    ): Promise<RequestAuthorization> {
      const headersFor = (method: string, url: URL) =>
        tokens.presentAccessToken(client, token, { method, url, proofClaims })
      const bound = token.type === 'DPoP'
      return {
        // Every request comes by here: what needs no proof need not wait for one.
        headers: bound ? await headersFor(request.method, request.url) : { authorization: `Bearer ${token.value}` },
        followsRedirects: bound,
        redirected: async (method, url) => (allowedOrigins.has(url.origin) ? headersFor(method, url) : undefined),
        async next(answer, replayable) {
          if (answer.status !== 401 && !bound) return undefined
          const answeredBy = answer.url ? new URL(answer.url) : request.url
          // An origin that has not seen the token says nothing about it.
          if (bound ? !allowedOrigins.has(answeredBy.origin) : answeredBy.origin !== origin) return undefined
          const nonce = bound ? answer.headers.get('dpop-nonce') : null
          const challenge = nonce !== null && answer.status === 401 && isNonceChallenge(answer)
          const resend = challenge && !spent.challenged && replayable
          if (nonce !== null) await tokens.rememberNonce(client, answeredBy, nonce, resend)
          if (resend) {
            await answer.discard?.()
            return present(token, { ...spent, challenged: true })
          }
          if (answer.status !== 401 || challenge || spent.renewed) return undefined
          const another = await tokens.rejectAccessToken(client, token, parameters)
          if (!another || !retryOn401 || !replayable) return undefined
          // While the new token is had, the connection becomes free for the request that it is for.
          const discarded = answer.discard?.()
          // The rejected token is replaced whether or not the call forces new ones: one more would be one too many.
          const renewed = await tokens.getAccessToken(client, { ...parameters, forceRenewal: false, signal })
          await discarded
          return present(renewed, { ...spent, renewed: true })
        },
      }
    }
  }

  return Object.freeze({ resolve: (input: string | URL) => resolve(input, base), authorize })
}

/** Whether a 401 asks for a nonce (RFC 9449 §9) and says nothing about the token. */
function isNonceChallenge({ headers }: ApiResponse): boolean {
  return /\buse_dpop_nonce\b/.test(headers.get('www-authenticate') ?? '')
}

/** Absolute as ofetch and axios see it: `items:batchGet` is a path, `//host` is not. */
const ABSOLUTE = /^([a-z][a-z\d+\-.]*:)?[\\/]{2}/i

function resolve(input: string | URL, base: string | undefined): URL {
  if (input instanceof URL) return input
  if (base === undefined || ABSOLUTE.test(input)) return new URL(input, base)
  if (input === '') return new URL(base)
  return new URL(`${base.replace(/\/$/, '')}/${input.replace(/^\/+/, '')}`)
}

function destinations(client: string, options: AuthorizedClientOptions) {
  const problems = new Problems()
  const checks = new OptionChecks(problems, client)
  const allowedOrigins = new Set<string>()
  const allow = (option: string, value: unknown) => {
    const url = checks.url(option, value)
    if (url && url.protocol !== 'https:' && url.protocol !== 'http:') checks.problem(option, 'must be an http(s) URL')
    else if (url) allowedOrigins.add(url.origin)
  }
  if (!checks.object('options', options)) problems.throwIfAny()
  const { baseURL, allowedOrigins: named } = options
  if (baseURL !== undefined) allow('baseURL', baseURL)
  for (const [index, origin] of (named ?? []).entries()) allow(`allowedOrigins[${index}]`, origin)
  if (baseURL === undefined && !named?.length) {
    checks.problem('baseURL', 'missing, and so is allowedOrigins: one of them has to say where tokens may go')
  }
  problems.throwIfAny()
  return { base: baseURL?.toString(), allowedOrigins: allowedOrigins as ReadonlySet<string> }
}
