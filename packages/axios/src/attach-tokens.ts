import { createRequestAuthorizer, type TokenManager } from '@tokenward/core'
import axios, { type AxiosInstance, type InternalAxiosRequestConfig } from 'axios'
import { AuthorizedAdapters } from './authorized-adapter'
import type { AttachTokensOptions, AxiosOptions } from './options'
import { detachFromCaller } from './snapshot'

/**
 * An axios instance that attaches access tokens. It sends a request once more with a new token when the API responds 401 and
 * the body can be sent a second time.
 *
 * Its calls reject as those of axios do, and with `OriginNotAllowedError`, `TokenRequestError` and `ConfigurationError` (a
 * relative URL without `baseURL`). In these cases nothing is sent to the API. No error, response or config holds a token.
 *
 * @throws ConfigurationError when `tokens` is no token manager, when neither `baseURL` nor `allowedOrigins` says where
 * tokens may go, or when tokens would travel by plain http
 */
export function createAxios<Name extends string>(
  tokens: TokenManager<Name>,
  client: NoInfer<Name>,
  options: AxiosOptions,
): AxiosInstance {
  const { baseURL, allowedOrigins, tokenParameters, retryOn401, proofClaims, ...defaults } = options
  const instance = axios.create(baseURL === undefined ? defaults : { ...defaults, baseURL: baseURL.toString() })
  attachTokens(instance, tokens, client, { baseURL, allowedOrigins, tokenParameters, retryOn401, proofClaims })
  return instance
}

/**
 * Makes `instance` attach access tokens, like one that {@link createAxios} makes. Its interceptors, adapter and defaults
 * stay as they are.
 *
 * @returns the function that detaches the tokens
 * @throws ConfigurationError as {@link createAxios} does. The `baseURL` of the instance counts where the options have none
 */
export function attachTokens<Name extends string>(
  instance: AxiosInstance,
  tokens: TokenManager<Name>,
  client: NoInfer<Name>,
  options: AttachTokensOptions = {},
): () => void {
  const baseURL = options.baseURL?.toString() || instance.defaults.baseURL || undefined
  const adapters = new AuthorizedAdapters(createRequestAuthorizer<Name>(tokens, client, { ...options, baseURL }))
  // The token is attached by an adapter, not by the interceptor: the adapter runs after the user's interceptors, when the URL
  // is final, and no config that the user can see holds the token.
  const stop = interceptFirstAndLast(instance, (config) => {
    if (baseURL) config.baseURL ??= baseURL
    config.adapter = adapters.authorized(config.adapter)
    return config
  })
  return () => {
    stop()
    adapters.release()
  }
}

/** What axios calls for each of an instance's interceptors. Its types do not have `forEach`, which all of 1.x has. */
type Visit = (interceptor: {
  fulfilled: (config: InternalAxiosRequestConfig) => InternalAxiosRequestConfig
  rejected: undefined
  synchronous: true
  runWhen(config: InternalAxiosRequestConfig): boolean
}) => void

/**
 * Runs `intercept` before and after all other request interceptors, so that none of them can replace the adapter. An
 * interceptor that is only registered runs before those that were registered earlier.
 */
function interceptFirstAndLast(
  instance: AxiosInstance,
  intercept: (config: InternalAxiosRequestConfig) => InternalAxiosRequestConfig,
): () => void {
  const interceptors = instance.interceptors.request as unknown as { forEach(visit: Visit): void }
  const others = interceptors.forEach
  let stopped = false
  const own = {
    fulfilled: intercept,
    rejected: undefined,
    synchronous: true as const,
    // axios calls this at once, before it waits for interceptors.
    runWhen(config: InternalAxiosRequestConfig) {
      detachFromCaller(config)
      return true
    },
  }
  const withOwn = (visit: Visit) => {
    if (!stopped) visit(own)
    others.call(interceptors, visit)
    if (!stopped) visit(own)
  }
  interceptors.forEach = withOwn
  return () => {
    stopped = true
    if (interceptors.forEach === withOwn) interceptors.forEach = others
  }
}
