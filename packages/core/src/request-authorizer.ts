import type { AccessToken } from './access-token'
import type {
  AuthorizedCallOptions,
  AuthorizedClientOptions,
  OutgoingRequest,
  RequestTokenParameters,
} from './authorized-client-options'
import { ConfigurationError, OriginNotAllowedError } from './errors'
import { authorizationHeader } from './internal/util/authorization-header'
import { checkDestinations, isHttp, sendsInClear } from './internal/util/destinations'
import { snapshotParameters } from './internal/util/token-parameters'
import type { TokenManager } from './token-manager'
import type { TokenParameters } from './token-parameters'

/** A request that an adapter wants to send. It is read at the moment of the call, and never again. */
export interface RequestToAuthorize {
  readonly method: string
  readonly url: string | URL
  /** The request's headers. Only called when `tokenParameters` is a function, and then at once. */
  headers(): Headers
}

/** What a request is sent with. */
export interface RequestAuthorization {
  /** The URL that was checked. The adapter has to send the request there. */
  readonly url: string
  /** Lower-case names. They replace the request's headers of the same name. */
  readonly headers: Readonly<Record<string, string>>
  /**
   * Whether the adapter has to follow redirects itself, with {@link redirected}. A DPoP proof is valid for one URL, and HTTP
   * clients send it on to other URLs.
   */
  readonly followsRedirects: boolean
  /**
   * The headers for the request that a redirect leads to. Undefined when no token may go to `url`: then the request must
   * carry neither `authorization` nor `dpop`.
   */
  redirected(method: string, url: URL): Promise<Readonly<Record<string, string>> | undefined>
  /**
   * Decides what happens after a response. Resolves to what the request is sent with once more, or to undefined when the
   * response goes to the caller. Never loses a response: when no new token can be had, the caller gets the API's own 401.
   *
   * @param replayable whether the request's body can be sent a second time
   * @throws the signal's reason when the caller gave up meanwhile
   */
  next(response: ApiResponse, replayable: boolean): Promise<RequestAuthorization | undefined>
}

/** What an API responded, as far as it concerns the token. */
export interface ApiResponse {
  readonly status: number
  readonly headers: { get(name: string): string | null }
  /** The URL that responded, after redirects. Undefined or empty: the request's own. */
  readonly url?: string | undefined
  /** Drops the response's body, because the request is sent once more. Nobody waits for it. */
  discard?(): void | Promise<void>
}

/** Decides, for one client and its APIs, where tokens go and what a 401 means. Every adapter is built on it. */
export interface RequestAuthorizer {
  /**
   * The URL of a request, as a new object: `input` itself when it is absolute, else joined to `baseURL` as ofetch and axios
   * do.
   *
   * @throws ConfigurationError when `input` is relative and there is no `baseURL`
   */
  resolve(input: string | URL): URL
  /**
   * What `request` has to be sent with.
   *
   * @throws OriginNotAllowedError when no token may go there; no token was requested then
   * @throws TokenRequestError when no token can be had
   */
  authorize(
    request: RequestToAuthorize,
    options?: AuthorizedCallOptions & { signal?: AbortSignal | undefined },
  ): Promise<RequestAuthorization>
}

/** Each reason to send a request once more applies once. */
interface Resent {
  readonly withNonce: boolean
  readonly withNewToken: boolean
}

/**
 * Makes the request authorizer of one client.
 *
 * @throws ConfigurationError when `tokens` is no token manager, when neither `baseURL` nor `allowedOrigins` says where
 * tokens may go, or when tokens would travel by plain http
 */
export function createRequestAuthorizer<Name extends string>(
  tokens: TokenManager<Name>,
  client: Name,
  options: AuthorizedClientOptions,
): RequestAuthorizer {
  const { base, allowedOrigins } = checkDestinations(tokens, client, options)

  function mayReceiveToken(url: URL): boolean {
    if (!isHttp(url) || !allowedOrigins.has(url.origin)) return false
    return !sendsInClear(url) || tokens.allowsInsecureRequests(client) === true
  }

  async function authorize(
    request: RequestToAuthorize,
    call: AuthorizedCallOptions & { signal?: AbortSignal | undefined } = {},
  ): Promise<RequestAuthorization> {
    // Everything that belongs to the caller is read before the first wait, because the caller may change it meanwhile.
    const { method } = request
    const url = new URL(request.url)
    const { signal, proofClaims = options.proofClaims, retryOn401 = options.retryOn401 ?? true } = call
    const source = call.tokenParameters ?? options.tokenParameters
    const outgoing =
      typeof source === 'function' ? { method, url: new URL(url), headers: request.headers() } : undefined
    const fixed = typeof source === 'function' ? undefined : snapshotParameters(source)
    if (!isHttp(url) || !allowedOrigins.has(url.origin))
      throw new OriginNotAllowedError(describe(url), [...allowedOrigins])

    // Only a definition that is loaded late can still forbid plain http.
    if (sendsInClear(url)) {
      await tokens.waitFor({ client, step: 'definition', signal, run() {} })
      if (!mayReceiveToken(url)) throw new OriginNotAllowedError(url.origin, [...allowedOrigins], 'plain http')
    }
    const parameters = fixed ?? (await computed(source, outgoing, signal))
    const firstToken = await tokens.getAccessToken(client, { ...parameters, signal })
    return authorization(firstToken, { withNonce: false, withNewToken: false })

    async function authorization(token: AccessToken, resent: Resent): Promise<RequestAuthorization> {
      const isBound = token.type === 'DPoP'
      const headersFor = (nextMethod: string, target: URL) =>
        tokens.presentAccessToken(client, token, { method: nextMethod, url: target, proofClaims })

      /** A 401 that only asks for a DPoP nonce says nothing about the token (RFC 9449 §9). */
      async function handleNonceChallenge(response: ApiResponse, respondedBy: URL, nonce: string, replayable: boolean) {
        const isChallenge = response.status === 401 && isNonceChallenge(response)
        const willRetry = isChallenge && !resent.withNonce && replayable
        await tokens.rememberNonce(client, { url: respondedBy, nonce, willRetry })
        if (!willRetry) return { isChallenge, again: undefined }
        const again = await authorization(token, { ...resent, withNonce: true })
        return { isChallenge, again }
      }

      async function handleRejection(respondedBy: URL, replayable: boolean): Promise<RequestAuthorization | undefined> {
        if (resent.withNewToken) {
          tokens.reportRejectedRetry(token, respondedBy.origin)
          return undefined
        }
        const willRenew = await tokens.rejectAccessToken(client, token, parameters, respondedBy.origin)
        if (!willRenew || !retryOn401 || !replayable) return undefined
        // Without `forceRenewal`: the rejected token is replaced anyway, and another caller may have a newer one.
        const renewed = await tokens.getAccessToken(client, { ...parameters, forceRenewal: false, signal })
        // The token endpoint fails: the rejected token stays in use, because other APIs may still accept it.
        if (renewed.value === token.value) return undefined
        return authorization(renewed, { ...resent, withNewToken: true })
      }

      async function next(response: ApiResponse, replayable: boolean): Promise<RequestAuthorization | undefined> {
        const { status } = response
        if (status >= 200 && status < 300) tokens.acceptAccessToken(token, url.origin)
        if (status !== 401 && !isBound) return undefined
        const respondedBy = response.url ? new URL(response.url) : url
        // A response of an origin that did not get the token says nothing about the token.
        if (isBound ? !mayReceiveToken(respondedBy) : respondedBy.origin !== url.origin) return undefined
        try {
          const nonce = isBound ? response.headers.get('dpop-nonce') : null
          const challenge = nonce ? await handleNonceChallenge(response, respondedBy, nonce, replayable) : undefined
          const isRejection = status === 401 && !challenge?.isChallenge
          const again = isRejection ? await handleRejection(respondedBy, replayable) : challenge?.again
          // Nobody waits for the rest of a response that is dropped: it may never end.
          if (again) void response.discard?.()
          return again
        } catch {
          signal?.throwIfAborted()
          return undefined
        }
      }

      return {
        url: url.href,
        // A Bearer token needs no proof, so nothing has to be waited for.
        headers: isBound ? await headersFor(method, url) : { authorization: authorizationHeader(token) },
        followsRedirects: isBound,
        redirected: async (nextMethod, target) =>
          mayReceiveToken(target) ? headersFor(nextMethod, target) : undefined,
        next,
      }
    }
  }

  async function computed(
    source: RequestTokenParameters | undefined,
    request: OutgoingRequest | undefined,
    signal: AbortSignal | undefined,
  ): Promise<TokenParameters> {
    if (typeof source !== 'function' || !request) return {}
    return snapshotParameters(
      await tokens.waitFor({ client, step: 'tokenParameters', signal, run: () => source(request) }),
    )
  }

  return Object.freeze({ resolve: (input: string | URL) => resolve(client, input, base), authorize })
}

function isNonceChallenge({ headers }: ApiResponse): boolean {
  return /\buse_dpop_nonce\b/.test(headers.get('www-authenticate') ?? '')
}

/** The origin; of a URL that has none (`data:`, `blob:`), the scheme. */
function describe(url: URL): string {
  return isHttp(url) ? url.origin : url.protocol
}

/** Absolute as ofetch and axios see it: `items:batchGet` is a path, `//host` is not. */
const ABSOLUTE = /^([a-z][a-z\d+\-.]*:)?[\\/]{2}/i

function resolve(client: string, input: string | URL, base: string | undefined): URL {
  if (input instanceof URL) return new URL(input)
  if (base !== undefined && !ABSOLUTE.test(input)) {
    return new URL(input === '' ? base : `${base.replace(/\/$/, '')}/${input.replace(/^\/+/, '')}`)
  }
  if (URL.canParse(input, base)) return new URL(input, base)
  // A query may hold secrets.
  const [path = ''] = String(input).split(/[?#]/)
  const message = `missing, and the request's URL is not absolute: '${path.slice(0, 100)}'`
  throw new ConfigurationError([{ client, option: 'baseURL', message }])
}
