import { type AuthorizedClientOptions, createRequestAuthorizer, type TokenManager } from '@tokenward/core'
import type { Dispatcher } from 'undici'
import { AuthorizedDispatch } from './authorized-dispatch'

/** Options of {@link tokenInterceptor}. `baseURL` only says where tokens may go, because undici gets whole URLs. */
export interface TokenInterceptorOptions extends AuthorizedClientOptions {}

/**
 * An interceptor for `new Agent().compose(…)` of undici 7 and 8. It attaches access tokens, and sends a request once more with a
 * new token when the API responds 401 and the body can be sent again.
 *
 * Requests fail as those of undici do, and with `OriginNotAllowedError` and `TokenRequestError`. The API gets no request then.
 * Compose undici's redirect interceptor after this one: then each redirected request passes here, and one to another origin is
 * refused.
 *
 * @example
 * const agent = new Agent().compose(tokenInterceptor(tokens, 'catalog.client', { baseURL: 'https://api.example' }))
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
