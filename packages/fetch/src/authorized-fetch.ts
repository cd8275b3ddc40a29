import {
  type ApiResponse,
  createRequestAuthorizer,
  type RequestAuthorization,
  type TokenManager,
} from '@tokenward/core'
import { discard } from './discard'
import { sendFollowing } from './follow-redirects'
import type { AuthorizedRequestInit, FetchOptions } from './options'
import { type Repeatable, repeatable } from './repeatable'

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
    const { tokenParameters, retryOn401, proofClaims } = init
    const target = input instanceof Request ? input : authorizer.resolve(input)
    // The members of a Request are on its prototype, so that a copy of it as options has none.
    const outgoing = init instanceof Request ? repeatable(new Request(target, init), {}) : repeatable(target, init)
    const transport: typeof fetch = given ?? fetch
    const call = { tokenParameters, retryOn401, proofClaims, signal: outgoing.signal }
    // Without a wait, if that is possible.
    const begun = authorizer.begin(outgoing, call)
    let authorization: RequestAuthorization | undefined = begun instanceof Promise ? await begun : begun
    for (;;) {
      const response = await send(transport, given !== undefined, outgoing, authorization)
      if (authorization.isAnswer(response.status)) {
        outgoing.release()
        return response
      }
      authorization = await authorization.next(apiResponse(response), outgoing.replayable)
      if (authorization === undefined) {
        outgoing.release()
        return response
      }
    }
  }
}

function send(
  transport: typeof fetch,
  isOwn: boolean,
  outgoing: Repeatable,
  authorization: RequestAuthorization,
): Promise<Response> {
  if (authorization.followsRedirects && outgoing.redirect === 'follow') {
    return sendFollowing(transport, outgoing, authorization)
  }
  const headers = outgoing.headersWith(authorization.headers)
  // A transport of the user may expect the platform's object.
  const sent = isOwn && !(headers instanceof Headers) ? new Headers(headers) : headers
  return transport(...outgoing.take(authorization.url, { headers: sent }))
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
