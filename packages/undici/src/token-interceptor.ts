import { type AuthorizedClientOptions, createRequestAuthorizer, type TokenManager } from '@tokenward/core'
import type { Dispatcher } from 'undici'
import { AuthorizedDispatcher } from './authorized-dispatch'

/** Options of {@link tokenInterceptor}. `baseURL` only says where tokens may go: undici's requests have whole URLs. */
export interface TokenInterceptorOptions extends AuthorizedClientOptions {}

/**
 * An interceptor for `new Agent().compose(…)` of undici 7 and 8. It attaches access tokens, and sends a request once more
 * with a new token when the API responds 401 and the body can be sent a second time.
 *
 * Requests fail as those of undici do, and with `OriginNotAllowedError`, `TokenRequestError` and `ConfigurationError`. In
 * these cases nothing is sent to the API.
 *
 * undici follows redirects only by its `redirect` interceptor. Compose that one after this one: then each request that it
 * makes passes here, and one to another origin is refused.
 *
 * @throws ConfigurationError when `tokens` is no token manager, when neither `baseURL` nor `allowedOrigins` says where
 * tokens may go, or when tokens would travel by plain http
 */
export function tokenInterceptor<Name extends string>(
  tokens: TokenManager<Name>,
  client: NoInfer<Name>,
  options: TokenInterceptorOptions,
): Dispatcher.DispatcherComposeInterceptor {
  const authorizer = createRequestAuthorizer<Name>(tokens, client, options)
  return (dispatch) => {
    const dispatcher = new AuthorizedDispatcher(authorizer, client, dispatch)
    return (request, handler) => {
      dispatcher.dispatch(request, handler)
      return true
    }
  }
}
