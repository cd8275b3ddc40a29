import type { AccessToken } from './access-token'
import type {
  AuthorizedCallOptions,
  AuthorizedClientOptions,
  OutgoingRequest,
  RequestTokenParameters,
} from './authorized-client-options'
import { OriginNotAllowedError } from './errors'
import { authorizationHeader } from './internal/util/authorization-header'
import { checkDestinations, isHttp, sendsInClear } from './internal/util/destinations'
import { describe, resolve } from './internal/util/request-url'
import { snapshotParameters } from './internal/util/token-parameters'
import type { ApiResponse, RequestAuthorization, RequestToAuthorize } from './request-authorization'
import type { TokenManager } from './token-manager'
import type { TokenParameters } from './token-parameters'

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
  authorize(request: RequestToAuthorize, options?: AuthorizeOptions): Promise<RequestAuthorization>
  /**
   * Does what {@link authorize} does, and returns at once what the request has to be sent with when nothing has to be waited for: this
   * process holds a good Bearer token. It may throw at once, too. A URL object belongs to the authorizer from then on.
   */
  begin(request: RequestToAuthorize, options?: AuthorizeOptions): RequestAuthorization | Promise<RequestAuthorization>
}

type AuthorizeOptions = AuthorizedCallOptions & {
  /** Detaches the caller. A function is called when there is something to wait for. */
  signal?: AbortSignal | (() => AbortSignal) | undefined
}

/** Each reason to send a request once more applies once. */
interface Resent {
  readonly withNonce: boolean
  readonly withNewToken: boolean
}

const FIRST: Resent = { withNonce: false, withNewToken: false }

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

  /** The token, if there is nothing to wait for. Not when `getAccessToken` was replaced, by a test for example: it has to be called. */
  function readyToken(parameters: TokenParameters | undefined, signal: AuthorizeOptions['signal']) {
    if (
      (typeof signal === 'object' && signal.aborted) ||
      (Object.hasOwn(tokens, 'getAccessToken') && !Object.hasOwn(tokens, 'readyAccessToken'))
    )
      return undefined
    return tokens.readyAccessToken?.(client, parameters)
  }

  function begin(
    request: RequestToAuthorize,
    call: AuthorizeOptions = {},
  ): RequestAuthorization | Promise<RequestAuthorization> {
    // Everything that belongs to the caller is read before the first wait, because the caller may change it meanwhile.
    const { method } = request
    const url = typeof request.url === 'string' ? new URL(request.url) : request.url
    const { origin } = url
    const { signal: given, proofClaims = options.proofClaims, retryOn401 = options.retryOn401 ?? true } = call
    const source = call.tokenParameters ?? options.tokenParameters
    const outgoing =
      typeof source === 'function' ? { method, url: new URL(url), headers: request.headers() } : undefined
    const fixed = typeof source === 'function' || source === undefined ? undefined : snapshotParameters(source)
    if (!isHttp(url) || !allowedOrigins.has(origin)) throw new OriginNotAllowedError(describe(url), [...allowedOrigins])
    let parameters = fixed
    const inClear = sendsInClear(url)
    const ready = inClear || outgoing ? undefined : readyToken(parameters, given)
    return ready ? authorization(ready, FIRST) : wait()

    function signal() {
      return typeof given === 'function' ? given() : given
    }

    async function wait(): Promise<RequestAuthorization> {
      // Only a definition that is loaded late can still forbid plain http.
      if (inClear) {
        await tokens.waitFor({ client, step: 'definition', signal: signal(), run() {} })
        if (!mayReceiveToken(url)) throw new OriginNotAllowedError(origin, [...allowedOrigins], 'plain http')
      }
      if (outgoing) parameters = await computed(source, outgoing, signal())
      return authorization(await tokens.getAccessToken(client, { ...parameters, signal: signal() }), FIRST)
    }

    function authorization(token: AccessToken, resent: Resent): RequestAuthorization | Promise<RequestAuthorization> {
      // A Bearer token needs no proof, so nothing has to be waited for.
      if (token.type !== 'DPoP') return withHeaders(token, resent, { authorization: authorizationHeader(token) })
      const presented = tokens.presentAccessToken(client, token, { method, url, proofClaims })
      return presented.then((headers) => withHeaders(token, resent, headers))
    }

    function withHeaders(token: AccessToken, resent: Resent, headers: Record<string, string>): RequestAuthorization {
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
        const willRenew = await tokens.rejectAccessToken(client, token, parameters ?? {}, respondedBy.origin)
        if (!willRenew || !retryOn401 || !replayable) return undefined
        // Without `forceRenewal`: the rejected token is replaced anyway, and another caller may have a newer one.
        const replaced = { forceRenewal: false, insteadOf: token, signal: signal() }
        const renewed = await tokens.getAccessToken(client, { ...parameters, ...replaced })
        // The token endpoint fails: the rejected token stays in use, because other APIs may still accept it.
        if (renewed.value === token.value) return undefined
        return authorization(renewed, { ...resent, withNewToken: true })
      }

      function isAnswer(status: number): boolean {
        if (status >= 200 && status < 300) tokens.acceptAccessToken(token, origin)
        return !isBound && status !== 401
      }

      async function next(response: ApiResponse, replayable: boolean): Promise<RequestAuthorization | undefined> {
        const { status } = response
        if (isAnswer(status)) return undefined
        const respondedBy = response.url ? new URL(response.url) : url
        // A response of an origin that did not get the token says nothing about the token.
        if (isBound ? !mayReceiveToken(respondedBy) : respondedBy.origin !== origin) return undefined
        try {
          const nonce = isBound ? response.headers.get('dpop-nonce') : null
          const challenge = nonce ? await handleNonceChallenge(response, respondedBy, nonce, replayable) : undefined
          const isRejection = status === 401 && !challenge?.isChallenge
          const again = isRejection ? await handleRejection(respondedBy, replayable) : challenge?.again
          // Nobody waits for the rest of a response that is dropped: it may never end.
          if (again) void response.discard?.()
          return again
        } catch {
          signal()?.throwIfAborted()
          return undefined
        }
      }

      return {
        url: url.href,
        headers,
        followsRedirects: isBound,
        isAnswer,
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

  return Object.freeze({
    resolve: (input: string | URL) => resolve(client, input, base),
    // The caller may change its URL object later.
    authorize: async (request: RequestToAuthorize, call?: AuthorizeOptions) =>
      begin({ method: request.method, url: String(request.url), headers: () => request.headers() }, call),
    begin,
  })
}

function isNonceChallenge({ headers }: ApiResponse): boolean {
  return /\buse_dpop_nonce\b/.test(headers.get('www-authenticate') ?? '')
}
