import {
  type ApiResponse,
  type AuthorizedCallOptions,
  type AuthorizedClientOptions,
  createRequestAuthorizer,
  type RequestAuthorization,
  type TokenManager,
} from '@tokenward/core'
import { discard } from './discard'
import { sendFollowing, setCredentials } from './follow-redirects'
import { type Repeatable, repeatable } from './repeatable'

/** Options of {@link createFetch}. */
export interface FetchOptions extends AuthorizedClientOptions {
  /** The `fetch` that sends the requests. Default: the platform's `fetch`, as it is at the time of the call. */
  fetch?: typeof fetch | undefined
}

/** Options of one call: those of the platform's `fetch`, and those that override the client's. */
export interface AuthorizedRequestInit extends RequestInit, AuthorizedCallOptions {}

/** The platform's `fetch`, with a token on every request. A string is joined to the `baseURL`. */
export type AuthorizedFetch = (input: string | URL | Request, init?: AuthorizedRequestInit) => Promise<Response>

/**
 * A drop-in for the platform's `fetch` that attaches access tokens. It sends a request once more with a new token when the
 * API responds 401 and the body can be sent a second time.
 *
 * Its calls reject as those of `fetch` do, and with `OriginNotAllowedError`, `TokenRequestError` and `ConfigurationError` (a
 * relative URL without `baseURL`). In these cases nothing is sent to the API.
 *
 * @example
 * const invoices = createFetch(tokens, 'invoice.client', { baseURL: 'https://apis.company.com/invoice/' })
 * const response = await invoices('list')
 *
 * @throws ConfigurationError when `tokens` is no token manager, when neither `baseURL` nor `allowedOrigins` says where
 * tokens may go, or when tokens would travel by plain http
 */
export function createFetch<Name extends string>(
  tokens: TokenManager<Name>,
  client: NoInfer<Name>,
  options: FetchOptions,
): AuthorizedFetch {
  const authorizer = createRequestAuthorizer<Name>(tokens, client, options)
  const { fetch: ownFetch } = options

  return async (input, init = {}) => {
    const { tokenParameters, retryOn401, proofClaims, ...platformInit } = init
    const outgoing = repeatable(input instanceof Request ? input : authorizer.resolve(input), platformInit)
    const transport: typeof fetch = (...request) => (ownFetch ?? fetch)(...request)
    const call = { tokenParameters, retryOn401, proofClaims, signal: outgoing.signal }
    let authorization: RequestAuthorization | undefined = await authorizer.authorize(
      { method: outgoing.method, url: outgoing.url, headers: () => outgoing.headers },
      call,
    )
    for (;;) {
      const response = await send(transport, outgoing, authorization)
      authorization = await authorization.next(toApiResponse(response), outgoing.replayable)
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
  const headers = setCredentials(outgoing.headers, authorization.headers)
  return transport(...outgoing.take(authorization.url, { headers }))
}

/** By getters: a platform computes the URL of a response at each access. */
function toApiResponse(response: Response): ApiResponse {
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
