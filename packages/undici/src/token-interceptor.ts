import { type AuthorizedClientOptions, createRequestAuthorizer, type TokenManager } from '@tokenward/core'
import type { Dispatcher } from 'undici'
import { AuthorizedDispatch } from './authorized-dispatch'

/** Options of {@link tokenInterceptor}. `baseURL` says where tokens may go; undici has URLs of its own. */
export interface TokenInterceptorOptions extends AuthorizedClientOptions {}

/**
 * An interceptor for `new Agent().compose(…)` of undici 7 and 8: it attaches access tokens, and sends a request once more
 * with a new token when the API answers 401 and the body can be sent again.
 *
 * Requests fail as those of undici do, and with `OriginNotAllowedError` and `TokenRequestError`; the API is sent nothing
 * then. Redirects are undici's: an interceptor for them is composed after this one, so that each request that it makes
 * passes here and one to another origin is refused.
 *
 * @throws ConfigurationError when neither `baseURL` nor `allowedOrigins` says where tokens may go
 */
export function tokenInterceptor<Name extends string>(
  tokens: TokenManager<Name>,
  client: NoInfer<Name>,
  options: TokenInterceptorOptions,
): Dispatcher.DispatcherComposeInterceptor {
  const authorizer = createRequestAuthorizer<Name>(tokens, client, options)
  return (dispatch) => (request, handler) => {
    void new AuthorizedDispatch(authorizer, dispatch, request, handler).run()
    return true
  }
}
