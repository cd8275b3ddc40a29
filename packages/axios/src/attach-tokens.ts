import { createRequestAuthorizer, type TokenManager } from '@tokenward/core'
import axios, { type AxiosInstance } from 'axios'
import { AuthorizedAdapters } from './authorized-adapter'
import type { AttachTokensOptions, AxiosOptions } from './options'

/**
 * An axios instance that attaches access tokens, and sends a request once more with a new token when the API answers 401
 * and the body can be sent again.
 *
 * Its calls reject as those of axios do, and with `OriginNotAllowedError` and `TokenRequestError`; the API is sent nothing
 * then. No error, response or config that it gives holds a token.
 *
 * @throws ConfigurationError when neither `baseURL` nor `allowedOrigins` says where tokens may go
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
 * Makes `instance` attach access tokens, as one of {@link createAxios} does; its interceptors, adapter and defaults stay
 * as they are.
 *
 * @returns the function that ends it
 * @throws ConfigurationError when neither the `baseURL` of the options or of the instance nor `allowedOrigins` says where
 * tokens may go
 */
export function attachTokens<Name extends string>(
  instance: AxiosInstance,
  tokens: TokenManager<Name>,
  client: NoInfer<Name>,
  options: AttachTokensOptions = {},
): () => void {
  const baseURL = options.baseURL?.toString() || instance.defaults.baseURL || undefined
  const adapters = new AuthorizedAdapters(createRequestAuthorizer<Name>(tokens, client, { ...options, baseURL }))
  // Not the interceptor attaches the token but the adapter that it puts in place: after the last of the user's
  // interceptors, where the URL is final, and where no config that anyone is given holds the token.
  const interceptor = instance.interceptors.request.use(
    (config) => {
      if (baseURL) config.baseURL ??= baseURL
      config.adapter = adapters.authorized(config.adapter)
      return config
    },
    undefined,
    { synchronous: true },
  )
  return () => {
    instance.interceptors.request.eject(interceptor)
    adapters.release()
  }
}
