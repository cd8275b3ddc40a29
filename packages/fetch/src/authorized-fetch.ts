import {
  type ApiResponse,
  type AuthorizedCallOptions,
  type AuthorizedClientOptions,
  createRequestAuthorizer,
  type RequestAuthorization,
  type TokenManager,
} from '@tokenward/core'
import { discard } from './discard'
import { authorize, sendFollowing } from './follow-redirects'
import { type Repeatable, repeatable } from './repeatable'

/** Options of {@link createFetch}. */
export interface FetchOptions extends AuthorizedClientOptions {
  /** Sends the requests. Default: the platform's `fetch`, as it is at the time of the call. */
  fetch?: typeof fetch | undefined
}

/** Options of one call: those of the platform's `fetch`, and those that override the client's. */
export interface AuthorizedRequestInit extends RequestInit, AuthorizedCallOptions {}

/** The platform's `fetch`, with a token on every request; a string is joined to the `baseURL`. */
export type AuthorizedFetch = (input: string | URL | Request, init?: AuthorizedRequestInit) => Promise<Response>

/**
 * A drop-in for the platform's `fetch`. It attaches access tokens, and sends a request once more with a new token when the API
 * responds 401 and the body can be sent again.
 *
 * Its calls reject as those of `fetch` do, and with `OriginNotAllowedError`, `TokenRequestError` and
 * `ConfigurationError` (a relative URL without `baseURL`). The API gets no request then.
 *
 * @example
 * const catalog = createFetch(tokens, 'catalog.client', { baseURL: 'https://api.example/catalog' })
 * const response = await catalog('items')
 *
 * @throws ConfigurationError when `tokens` is no token manager, when neither `baseURL` nor `allowedOrigins` says where tokens
 * may go, or when tokens would travel by plain http
 */
export function createFetch<Name extends string>(
  tokens: TokenManager<Name>,
  client: NoInfer<Name>,
  options: FetchOptions,
): AuthorizedFetch {
  const authorizer = createRequestAuthorizer<Name>(tokens, client, options)
  const given = options.fetch

  return async (input, init = {}) => {
    const { tokenParameters, retryOn401, proofClaims, ...platformInit } = init
    const target = input instanceof Request ? input : authorizer.resolve(input)
    // The members of a Request are on its prototype, so that a copy of it as options has none.
    const outgoing =
      init instanceof Request ? repeatable(new Request(target, init), {}) : repeatable(target, platformInit)
    const transport: typeof fetch = (...request) => (given ?? fetch)(...request)
    const call = { tokenParameters, retryOn401, proofClaims, signal: outgoing.signal }
    let authorization: RequestAuthorization | undefined = await authorizer.authorize(
      { method: outgoing.method, url: outgoing.url, headers: () => new Headers(outgoing.headers) },
      call,
    )
    for (;;) {
      const response = await send(transport, outgoing, authorization)
      authorization = await authorization.next(apiResponse(response), outgoing.replayable)
      if (authorization === undefined) {
        outgoing.release()
        return response
      }
    }
  }
}

function send(transport: typeof fetch, outgoing: Repeatable, authorization: RequestAuthorization): Promise<Response> {
  if (authorization.followsRedirects && outgoing.redirect === 'follow') {
    return sendFollowing(transport, outgoing, authorization)
  }
  return transport(...outgoing.take(authorization.url, { headers: authorize(outgoing.headers, authorization.headers) }))
}

/** Its members are read when they are needed, because the platform computes them each time. */
function apiResponse(response: Response): ApiResponse {
  return {
    status: response.status,
    get headers() {
      return response.headers
    },
    get url() {
      return response.url
    },
    discard: () => discard(response),
  }
}
