import { isReplayableBody, type RequestAuthorization, redirection } from '@tokenward/core'
import { AxiosError, type AxiosResponse } from 'axios'
import { attempt, type Outcome, type OutgoingRequest } from './attempt'
import { discard } from './discard'

/** As many as axios follows by default. */
const MAX_REDIRECTS = 21

/**
 * Sends a request and follows its redirects as axios does, but makes a DPoP proof for each URL. axios would send the first
 * proof on to other URLs and origins.
 *
 * @throws AxiosError when there are too many redirects
 * @throws TypeError when a redirect leads to a URL that is not http(s)
 */
export async function sendFollowing(outgoing: OutgoingRequest, authorization: RequestAuthorization): Promise<Outcome> {
  const { config } = outgoing
  const { maxRedirects = MAX_REDIRECTS, fetchOptions, data } = config
  const unfollowed = { maxRedirects: 0, fetchOptions: { ...fetchOptions, redirect: 'manual' } }
  const headers = config.headers.concat()
  let body: object = {}
  let method = config.method?.toUpperCase() ?? 'GET'
  let outcome = await attempt(outgoing, new URL(authorization.url), authorization.headers, unfollowed)
  for (let redirects = 0; ; redirects++) {
    const { response } = outcome
    if (!response || maxRedirects === 0) return outcome
    const redirected = nextRequest(method, outcome, response)
    if (!redirected) return outcome
    method = redirected.method
    if (!redirected.keepsBody) {
      body = { method: 'get', data: undefined }
    } else if (!('data' in body) && !isReplayableBody(data)) return outcome
    void discard(response.data, outcome.close)
    if (redirects >= maxRedirects) {
      const message = 'Maximum number of redirects exceeded'
      throw new AxiosError(message, 'ERR_FR_TOO_MANY_REDIRECTS', response.config, response.request)
    }
    for (const name of redirected.headersDropped) headers.delete(name)
    const next = redirected.url
    const secrets = await authorization.redirected(method, next)
    const target = { url: next.href, baseURL: undefined, params: undefined, auth: undefined }
    outcome = await attempt(outgoing, next, secrets ?? {}, { ...unfollowed, ...target, ...body, headers })
  }
}

function nextRequest(method: string, { url, close }: Outcome, { status, headers, data }: AxiosResponse) {
  try {
    return redirection({ method, url }, { status, location: headers?.location })
  } catch (error) {
    void discard(data, close)
    throw error
  }
}
