import { isReplayableBody, type Redirection, type RequestAuthorization, redirection } from '@tokenward/core'
import { AxiosError, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios'
import { type AdapterFunction, attempt, type Outcome, sendTo } from './attempt'
import { discard } from './discard'

/** The default of axios. */
const MAX_REDIRECTS = 21

/**
 * Sends a request and follows its redirects as axios would, but with headers that are made for each URL: axios would send a DPoP
 * proof on to URLs that it is not valid for.
 *
 * @param target the changes that send the config to `url`
 */
export async function sendFollowing(
  adapter: AdapterFunction,
  config: InternalAxiosRequestConfig,
  url: URL,
  authorization: RequestAuthorization,
  target: object,
): Promise<Outcome> {
  const { maxRedirects = MAX_REDIRECTS, fetchOptions, data } = config
  const unfollowed = { maxRedirects: 0, fetchOptions: { ...fetchOptions, redirect: 'manual' } }
  const headers = config.headers.concat()
  let body: object = {}
  let method = config.method?.toUpperCase() ?? 'GET'
  let outcome = await attempt(adapter, config, url, authorization.headers, { ...unfollowed, ...target })
  for (let redirects = 0; maxRedirects > 0; redirects++) {
    const { response } = outcome
    const redirected = response && redirectionOf(outcome, response, method)
    if (!redirected) return outcome
    method = redirected.method
    if (!redirected.keepsBody) body = { method: 'get', data: undefined }
    else if (!('data' in body) && !isReplayableBody(data)) return outcome
    // The next request does not wait for the rest of this response.
    void discard(response.data, outcome.cut)
    if (redirects >= maxRedirects) {
      const message = 'Maximum number of redirects exceeded'
      throw new AxiosError(message, 'ERR_FR_TOO_MANY_REDIRECTS', response.config, response.request)
    }
    for (const name of redirected.headersDropped) headers.delete(name)
    const secrets = (await authorization.redirected(method, redirected.url)) ?? {}
    const changes = { ...unfollowed, ...sendTo(redirected.url.href), ...body, headers }
    outcome = await attempt(adapter, config, redirected.url, secrets, changes)
  }
  return outcome
}

function redirectionOf({ url, cut }: Outcome, response: AxiosResponse, method: string): Redirection | undefined {
  const { status, headers, data, config } = response
  try {
    return redirection({ method, url }, { status, location: headers?.location })
  } catch (error) {
    void discard(data, cut)
    throw AxiosError.from(error as Error, 'ERR_FR_REDIRECTION_FAILURE', config, response.request)
  }
}
