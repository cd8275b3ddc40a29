import { type RequestAuthorization, redirection } from '@tokenward/core'
import { discard } from './discard'
import type { Repeatable } from './repeatable'

/** As many as the Fetch Standard allows. */
const MAX_REDIRECTS = 20

/**
 * Sends a request and follows its redirects as the platform does (Fetch Standard, HTTP-redirect fetch), but makes a DPoP
 * proof for each URL. The platform would send the first proof on to other URLs and origins.
 *
 * @throws TypeError when there are too many redirects, when one leads to a URL that is not http(s), or when it needs a body
 * that cannot be sent a second time
 */
export async function sendFollowing(
  transport: typeof fetch,
  outgoing: Repeatable,
  authorization: RequestAuthorization,
): Promise<Response> {
  let { method } = outgoing
  let url = new URL(authorization.url)
  const headers = setCredentials(outgoing.headers, authorization.headers)
  let response = await transport(...outgoing.take(url.href, { headers, redirect: 'manual' }))
  let keepsBody = true
  for (let redirects = 0; ; redirects++) {
    const next = nextRequest({ method, url }, response)
    if (!next) return response
    if (redirects === MAX_REDIRECTS) throw failure(response, `more than ${MAX_REDIRECTS} redirects`)
    url = next.url
    method = next.method
    keepsBody &&= next.keepsBody
    for (const name of next.headersDropped) headers.delete(name)
    if (keepsBody && !outgoing.replayable) {
      throw failure(response, 'a redirect needs the body a second time, and a stream can be sent only once')
    }
    void discard(response)
    setCredentials(headers, await authorization.redirected(method, url))
    response = await transport(...outgoing.again(url, method, keepsBody, { headers, redirect: 'manual' }))
  }
}

function nextRequest(request: { method: string; url: URL }, response: Response) {
  const { status, headers } = response
  try {
    return redirection(request, { status, location: headers.get('location') })
  } catch (error) {
    void discard(response)
    throw error
  }
}

function failure(response: Response, message: string): TypeError {
  void discard(response)
  return new TypeError(message)
}

/** Sets `credentials`, and removes those that `headers` had before. */
export function setCredentials(headers: Headers, credentials: Readonly<Record<string, string>> = {}): Headers {
  for (const name of ['authorization', 'dpop']) {
    const value = credentials[name]
    if (value !== undefined) headers.set(name, value)
    else if (headers.has(name)) headers.delete(name)
  }
  return headers
}
