import {
  type AuthorizedCallOptions,
  type AuthorizedClientOptions,
  createRequestAuthorizer,
  type RequestAuthorization,
  type TokenManager,
} from '@tokenward/core'
import { discard } from './discard'
import { repeatable } from './repeatable'

/** Options of {@link createFetch}. */
export interface FetchOptions extends AuthorizedClientOptions {
  /** What the requests are made with. Default: the platform's `fetch`, as it is at the time of the call. */
  fetch?: typeof fetch | undefined
}

/** Options of one call: those of the platform's `fetch`, and what it decides otherwise than its client. */
export interface AuthorizedRequestInit extends RequestInit, AuthorizedCallOptions {}

/** The platform's `fetch`, with a token on every request; a string is joined to the `baseURL`. */
export type AuthorizedFetch = (input: string | URL | Request, init?: AuthorizedRequestInit) => Promise<Response>

/**
 * A drop-in for the platform's `fetch` that attaches access tokens, and sends a request once more with a new token
 * when the API answers 401 and the body can be sent again.
 *
 * Its calls reject as those of `fetch` do, and with `OriginNotAllowedError` and `TokenRequestError`; the API is sent
 * nothing then.
 *
 * @throws ConfigurationError when neither `baseURL` nor `allowedOrigins` says where tokens may go
 */
export function createFetch<Name extends string>(
  tokens: TokenManager<Name>,
  client: NoInfer<Name>,
  options: FetchOptions,
): AuthorizedFetch {
  const authorizer = createRequestAuthorizer<Name>(tokens, client, options)

  return async (input, init = {}) => {
    const { tokenParameters, retryOn401, ...platformInit } = init
    const outgoing = repeatable(input instanceof Request ? input : authorizer.resolve(input), platformInit)
    const send = ({ headers }: RequestAuthorization) => {
      for (const [name, value] of Object.entries(headers)) outgoing.headers.set(name, value)
      return (options.fetch ?? fetch)(...outgoing.take())
    }
    const { signal } = outgoing
    const authorization = await authorizer.authorize(outgoing, { tokenParameters, retryOn401, signal })
    const response = await send(authorization)
    const answer = { status: response.status, url: response.url, discard: () => discard(response) }
    const again = await authorization.next(answer, outgoing.replayable)
    if (again) return send(again)
    outgoing.release()
    return response
  }
}
