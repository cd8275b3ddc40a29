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

  /** Sends the request. Not async: with a cached token, the response is all there is to wait for. */
  function send(transport: typeof fetch, outgoing: Repeatable, authorization: RequestAuthorization): Promise<Response> {
    // A transport of the user may return a response without a promise.
    const sent = Promise.resolve(transmit(transport, given !== undefined, outgoing, authorization))
    return sent.then((response) => {
      if (!authorization.isAnswer(response.status)) return respond(transport, outgoing, authorization, response)
      outgoing.release()
      return response
    })
  }

  /** The response, or that of another attempt. */
  async function respond(
    transport: typeof fetch,
    outgoing: Repeatable,
    authorization: RequestAuthorization,
    response: Response,
  ) {
    const again = await authorization.next(apiResponse(response), outgoing.replayable)
    if (again) return send(transport, outgoing, again)
    outgoing.release()
    return response
  }

  return (input, init) => {
    try {
      const target = typeof input !== 'string' && input instanceof Request ? input : authorizer.resolveHref(input)
      // The members of a Request are on its prototype, so that a copy of it as options has none.
      const outgoing = init instanceof Request ? repeatable(new Request(target, init), {}) : repeatable(target, init)
      const transport = given ?? fetch
      const begun = authorizer.begin(outgoing, optionsOf(init, outgoing))
      return begun instanceof Promise
        ? begun.then((each) => send(transport, outgoing, each))
        : send(transport, outgoing, begun)
    } catch (error) {
      return Promise.reject(error)
    }
  }
}

/** The options for core. */
function optionsOf(init: AuthorizedRequestInit | undefined, { signal }: Repeatable) {
  if (init === undefined) return signal && { signal }
  const { tokenParameters, retryOn401, proofClaims } = init
  return { tokenParameters, retryOn401, proofClaims, signal }
}

function transmit(
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
  return outgoing.send(transport, authorization.url, sent)
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
