import { ConfigurationError, createRequestAuthorizer, type TokenManager } from '@tokenward/core'
import axios, { type AxiosInstance, type InternalAxiosRequestConfig } from 'axios'
import { AuthorizedAdapters } from './authorized-adapter'
import { interceptAround } from './intercept-around'
import type { AttachTokensOptions, AxiosOptions } from './options'
import { detachFromCaller } from './snapshot'
import { guarded, isAxiosOwn } from './transform-guard'

/**
 * An axios instance that attaches access tokens, and sends a request once more with a new token when the API responds 401 and the
 * body can be sent again.
 *
 * Its calls reject as those of axios do, and with `OriginNotAllowedError`, `TokenRequestError` and
 * `ConfigurationError` (a relative URL without `baseURL`). The API gets no request then. No
 * error, response or config holds a token.
 *
 * @example
 * const catalog = createAxios(tokens, 'catalog.client', { baseURL: 'https://api.example/catalog' })
 * const { data } = await catalog.get('items')
 *
 * @throws ConfigurationError when `tokens` is no token manager, when neither `baseURL` nor `allowedOrigins` says where tokens
 * may go, or when tokens would travel by plain http
 */
export function createAxios<Name extends string>(
  tokens: TokenManager<Name>,
  client: NoInfer<Name>,
  options: AxiosOptions,
): AxiosInstance {
  const { baseURL, allowedOrigins, claimsChallenges, stepUp, tokenParameters, retryOn401, proofClaims, ...defaults } =
    options ?? {}
  const instance = axios.create(baseURL === undefined ? defaults : { ...defaults, baseURL: baseURL.toString() })
  const perCall = { tokenParameters, retryOn401, proofClaims }
  attachTokens(instance, tokens, client, { baseURL, allowedOrigins, claimsChallenges, stepUp, ...perCall })
  return instance
}

/**
 * Makes `instance` attach access tokens, like one of {@link createAxios}. Its interceptors, adapter and defaults stay as they are.
 *
 * @returns the function that ends that
 * @throws ConfigurationError when neither the `baseURL` of the options or of the instance nor `allowedOrigins` says where
 * tokens may go
 */
export function attachTokens<Name extends string>(
  instance: AxiosInstance,
  tokens: TokenManager<Name>,
  client: NoInfer<Name>,
  options: AttachTokensOptions = {},
): () => void {
  if (typeof instance?.interceptors?.request?.use !== 'function') {
    throw new ConfigurationError([{ client, option: 'instance', message: 'must be an axios instance' }])
  }
  const baseURL = options.baseURL?.toString() || instance.defaults.baseURL || undefined
  const adapters = new AuthorizedAdapters(createRequestAuthorizer<Name>(tokens, client, { ...options, baseURL }))
  // The interceptor does not attach the token. It puts an adapter in place that does: there the URL is final, and no config that
  // anyone gets holds the token.
  const detach = interceptAround(instance, detachFromCaller, () => {
    let latest = 0
    /** An adapter with tokens, which steps aside when another one has been put in place after it. */
    const authorized = (adapter: InternalAxiosRequestConfig['adapter']) => {
      const number = ++latest
      return adapters.authorizedUnless(() => latest > number, adapter)
    }
    const guard = (config: InternalAxiosRequestConfig) => adapters.ensure(config, authorized)
    return (config, isAlone) => {
      if (baseURL) config.baseURL ??= baseURL
      if (isAlone && isAxiosOwn(config.transformRequest)) {
        adapters.putInto(config)
        return config
      }
      config.adapter = authorized(config.adapter)
      // It runs after the interceptors, and may set an adapter too.
      config.transformRequest = guarded(config.transformRequest, guard)
      return config
    }
  })
  return () => {
    detach()
    adapters.release()
  }
}
