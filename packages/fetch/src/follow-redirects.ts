import { type RequestAuthorization, redirection } from '@tokenward/core'
import { discard } from './discard'
import type { Repeatable } from './repeatable'

const MOST_REDIRECTS = 20

/**
 * Sends a request and follows its redirects as the platform would (Fetch Standard, HTTP-redirect fetch), but with
 * headers that are made for each URL: the platform would send a DPoP proof on to URLs that it is not valid for.
 */
export async function sendFollowing(
  transport: typeof fetch,
  outgoing: Repeatable,
  authorization: RequestAuthorization,
): Promise<Response> {
  let { url, method } = outgoing
  const headers = authorize(outgoing.headers, authorization.headers)
  let response = await transport(...outgoing.take(authorization.url, { headers, redirect: 'manual' }))
  let keepsBody = true
  for (let redirects = 0; ; redirects++) {
    const next = redirection({ method, url }, { status: response.status, location: response.headers.get('location') })
    if (!next) return response
    if (redirects === MOST_REDIRECTS) throw new TypeError(`more than ${MOST_REDIRECTS} redirects`)
    url = next.url
    method = next.method
    keepsBody &&= next.keepsBody
    for (const name of next.headersDropped) headers.delete(name)
    if (keepsBody && !outgoing.replayable)
      throw new TypeError('a redirect needs the body again, and it cannot be sent twice')
    void discard(response)
    authorize(headers, await authorization.redirected(method, url))
    response = await transport(...outgoing.again(url, method, keepsBody, { headers, redirect: 'manual' }))
  }
}

/** Sets these credentials, and removes others of the same names. */
export function authorize(headers: Headers, authorization: Readonly<Record<string, string>> = {}): Headers {
  for (const name of ['authorization', 'dpop']) {
    const value = authorization[name]
    if (value !== undefined) headers.set(name, value)
    else if (headers.has(name)) headers.delete(name)
  }
  return headers
}
