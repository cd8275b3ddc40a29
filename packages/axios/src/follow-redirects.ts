import { isReplayableBody, type RequestAuthorization, redirection } from '@tokenward/core'
import { AxiosError, type InternalAxiosRequestConfig } from 'axios'
import { type AdapterFunction, attempt, type Outcome } from './attempt'
import { discard } from './bodies'

/** The default of axios. */
const MOST_REDIRECTS = 21

/**
 * Sends a request and follows its redirects as axios would, but with headers that are made for each URL: axios would send a DPoP
 * proof on to URLs that it is not valid for.
 */
export async function sendFollowing(
  adapter: AdapterFunction,
  config: InternalAxiosRequestConfig,
  url: URL,
  authorization: RequestAuthorization,
): Promise<Outcome> {
  const { maxRedirects: most = MOST_REDIRECTS, fetchOptions, data } = config
  const unfollowed = { maxRedirects: 0, fetchOptions: { ...fetchOptions, redirect: 'manual' } }
  const headers = config.headers.concat()
  let body: object = {}
  let method = config.method?.toUpperCase() ?? 'GET'
  let outcome = await attempt(adapter, config, url, authorization.headers, unfollowed)
  for (let redirects = 0; ; redirects++) {
    const { response } = outcome
    const { status = 0, headers: received } = response ?? {}
    const redirected = redirection({ method, url: outcome.url }, { status, location: received?.location })
    if (!response || !redirected || most === 0) return outcome
    method = redirected.method
    if (!redirected.keepsBody) {
      body = { method: 'get', data: undefined }
    } else if (!('data' in body) && !isReplayableBody(data)) return outcome
    if (redirects >= most) {
      const message = 'Maximum number of redirects exceeded'
      throw new AxiosError(message, 'ERR_FR_TOO_MANY_REDIRECTS', response.config, response.request)
    }
    void discard(response.data)
    for (const name of redirected.headersDropped) headers.delete(name)
    const next = redirected.url
    const secrets = await authorization.redirected(method, next)
    const target = { url: next.href, baseURL: undefined, params: undefined, auth: undefined }
    outcome = await attempt(adapter, config, next, secrets ?? {}, { ...unfollowed, ...target, ...body, headers })
  }
}
