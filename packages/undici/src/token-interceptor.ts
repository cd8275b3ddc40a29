import { type AuthorizedClientOptions, createRequestAuthorizer, type TokenManager } from '@tokenward/core'
import type { Dispatcher } from 'undici'
import { AuthorizedDispatch } from './authorized-dispatch'
import { HttpOrigins } from './outgoing-request'

/**
 * Options of {@link tokenInterceptor}. `baseURL` only says where tokens may go: undici's requests always name their origin.
 */
export interface TokenInterceptorOptions extends AuthorizedClientOptions {}

/**
 * Makes an interceptor for undici 7 and 8 that attaches access tokens. It sends a request once more with a new token when the
 * API responds 401 and the body can be sent again.
 *
 * Requests fail as undici's do, and in addition with `OriginNotAllowedError`, `TokenRequestError` and, when a request has no
 * origin or its path does not begin with `/`, `ConfigurationError`. Then nothing is sent to the API.
 *
 * The redirect interceptor has to be composed after this one. Then each redirected request gets a token of its own, and one
 * to another origin is refused.
 *
 * @example
 * ```ts
 * const dispatcher = new Agent().compose(
 *   tokenInterceptor(tokens, 'invoice.client', { baseURL: 'https://apis.company.com' }),
 *   interceptors.redirect({ maxRedirections: 5 }),
 * )
 * ```
 *
 * @throws ConfigurationError when `tokens` is no token manager, when neither `baseURL` nor `allowedOrigins` says where tokens
 * may go, or when tokens would travel by plain http
 */
export function tokenInterceptor<Name extends string>(
  tokens: TokenManager<Name>,
  client: NoInfer<Name>,
  options: TokenInterceptorOptions,
): Dispatcher.DispatcherComposeInterceptor {
  const authorizer = createRequestAuthorizer<Name>(tokens, client, options)
  // undici 8 passes the origin of a Client or Pool; its types do not have it.
  return (dispatch, origin?: string | null) => {
    const context = { client, connectedOrigin: origin ?? undefined, origins: new HttpOrigins() }
    return (request, handler) => {
      new AuthorizedDispatch(authorizer, dispatch, handler).run(request, context)
      return true
    }
  }
}
