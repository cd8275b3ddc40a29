import axios from 'axios'
import tokenProvider from 'axios-token-interceptor'
import { everyStatus, getByAxios } from './http-clients'
import { type Library, renewsAhead } from './library'
import { requestToken, type TokenResponse } from './request-token'

const NO_RESPONSES = 'it only changes requests, so it never sees a response'

export const axiosTokenInterceptor: Library = {
  id: 'axios-token-interceptor',
  packageName: 'axios-token-interceptor',
  httpClient: 'axios',
  use: '`tokenCache` with `getMaxAge`, around a function that requests the token',
  cannot: {
    revoked: NO_RESPONSES,
    rejecting: NO_RESPONSES,
    fleet: 'it keeps tokens in its process only',
    dpop: 'it has no DPoP',
  },
  lifetimeFor: renewsAhead(0),
  open(options) {
    const getToken = tokenProvider.tokenCache(() => requestToken(options), {
      getMaxAge: (response: TokenResponse) => response.expires_in * 1_000,
    })
    const axiosOptions = { baseURL: options.baseURL, adapter: 'http', validateStatus: everyStatus } as const
    const instance = axios.create(axiosOptions)
    const headerFormatter = (response: TokenResponse) => `Bearer ${response.access_token}`
    instance.interceptors.request.use(tokenProvider({ getToken, headerFormatter }))
    return {
      getToken,
      request: () => getByAxios(instance),
      requestWithHeader: (authorization) => {
        const plain = axios.create({ ...axiosOptions, headers: { authorization } })
        return () => getByAxios(plain)
      },
    }
  },
}
