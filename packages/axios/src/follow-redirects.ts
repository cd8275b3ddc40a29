import { isReplayableBody, type Redirection, type RequestAuthorization, redirection } from '@tokenward/core'
import { AxiosError, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios'
import { attempt, type Changes, type Outcome, type Replacements, type Transport } from './attempt'
import { discard } from './discard'

/** The default of axios. */
const MAX_REDIRECTS = 21

/**
 * Sends a request and follows its redirects as axios would, but with headers that are made for each URL: axios would send a DPoP
 * proof on to URLs that it is not valid for.
 *
 * @param configToSend returns the config of an attempt
 * @param to where to send the first request
 */
export async function sendFollowing(
  transport: Transport,
  configToSend: () => InternalAxiosRequestConfig,
  to: Pick<Replacements, 'url' | 'target'>,
  authorization: RequestAuthorization,
): Promise<Outcome> {
  const config = configToSend()
  const { maxRedirects = MAX_REDIRECTS, fetchOptions, data } = config
  const unfollowed = { maxRedirects: 0, fetchOptions: { ...fetchOptions, redirect: 'manual' } }
  const headers = config.headers.concat()
  let body: Changes = {}
  let method = config.method?.toUpperCase() ?? 'GET'
  const first = { ...to, secrets: authorization.headers, changes: unfollowed }
  let outcome = await attempt(transport, config, first, itself)
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
    const { url, headersDropped } = redirected
    for (const name of headersDropped) headers.delete(name)
    const secrets = (await authorization.redirected(method, url)) ?? {}
    const next = { url: url.href, target: url.href, secrets, changes: { ...unfollowed, ...body, headers } }
    outcome = await attempt(transport, configToSend(), next, itself)
  }
  return outcome
}

const itself = (outcome: Outcome) => outcome

function redirectionOf({ url, cut }: Outcome, response: AxiosResponse, method: string): Redirection | undefined {
  const { status, headers, data, config } = response
  try {
    return redirection({ method, url: new URL(url) }, { status, location: headers?.location })
  } catch (error) {
    void discard(data, cut)
    throw AxiosError.from(error as Error, 'ERR_FR_REDIRECTION_FAILURE', config, response.request)
  }
}
