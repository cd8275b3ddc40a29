import type { ClientOptions } from '@grpc/grpc-js'
import { ConfigurationError, type RequestTokenParameters, snapshotParameters, type TokenManager } from '@tokenward/core'
import { AuthorizedChannels } from './internal/authorized-channels'
import { tokenInterceptor } from './internal/token-interceptor'

/** Options of {@link createGrpcOptions}, beside those of `@grpc/grpc-js`, which are passed on. */
export type GrpcOptions = ClientOptions & {
  /**
   * What the token is requested with: an object, or a function that returns one, or a promise of one. The function gets the call as
   * the HTTP request that it is: `POST`, the URL `https://host:port/package.Service/Method`, and the text values of the call's metadata
   * as headers.
   */
  tokenParameters?: RequestTokenParameters | undefined
  /** Whether a unary call that ends with `UNAUTHENTICATED` is sent once more with a new token. Default true. */
  retryOnUnauthenticated?: boolean | undefined
}

/**
 * Options of a gRPC client that attach access tokens. Any number of clients can share the object. Tokens go to the addresses of these
 * clients only. They go by TLS, or by plain text to this machine. With `allowInsecureRequests` in the client's definition, they go by
 * plain text to any address.
 *
 * A unary call that ends with `UNAUTHENTICATED` is sent once more with a new token. A streaming call is not: its caller gets the
 * status, and the next call gets a new token.
 *
 * A call that gets no token ends with `UNAVAILABLE` when a later call may get one, and else with `UNAUTHENTICATED`. Nothing is sent then.
 * The `cause` of its error is the `TokenRequestError` or `ConfigurationError`.
 *
 * Interceptors that a single call names replace those of its client. To keep the tokens, add `interceptors` of this object to them.
 *
 * @example
 * const invoices = new InvoiceClient('invoices.company.com:443', credentials.createSsl(), createGrpcOptions(tokens, 'invoice.client'))
 *
 * @throws ConfigurationError when `tokens` is no token manager, or when `options` has a `channelOverride`. The constructor of a client
 * throws it when tokens would travel by plain text.
 */
export function createGrpcOptions<Name extends string>(
  tokens: TokenManager<Name>,
  client: NoInfer<Name>,
  options: GrpcOptions = {},
): ClientOptions {
  const { tokenParameters: requested, retryOnUnauthenticated, ...given } = options
  const tokenParameters = typeof requested === 'object' ? snapshotParameters(requested) : requested
  if (given.channelOverride) {
    const message = 'cannot be used: clients of the same address share their connections without it'
    throw new ConfigurationError([{ client, option: 'channelOverride', message }])
  }
  const retryOn401 = retryOnUnauthenticated ?? true
  const channels = new AuthorizedChannels<Name>(tokens, client, { tokenParameters, retryOn401 }, given)
  const interceptor = tokenInterceptor({
    client,
    channels,
    retries: retryOn401,
    readsMetadata: typeof tokenParameters === 'function',
  })
  // The last interceptor is nearest to the channel: the others see a call that is sent twice as one call.
  const interceptors = given.interceptor_providers?.length
    ? { interceptor_providers: [...given.interceptor_providers, () => interceptor] }
    : { interceptors: [...(given.interceptors ?? []), interceptor] }
  return { ...given, ...interceptors, channelFactoryOverride: channels.create }
}
