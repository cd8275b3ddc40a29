import { type Redirection, type RequestAuthorization, redirection } from '@tokenward/core'
import { discard } from './discard'
import { setCredentials } from './headers'
import type { Repeatable } from './repeatable'

const MAX_REDIRECTS = 20

/**
 * Sends a request and follows its redirects as the platform would (Fetch Standard, HTTP-redirect fetch), but with
 * headers that are made for each URL: the platform would send a DPoP proof on to URLs that it is not valid for.
 */
export async function sendFollowing(
  transport: typeof fetch,
  outgoing: Repeatable,
  authorization: RequestAuthorization,
): Promise<Response> {
  let { method } = outgoing
  let url = new URL(outgoing.url)
  const headers = outgoing.headers()
  setCredentials(headers, authorization.headers)
  let response = await outgoing.send(transport, authorization.url, headers, 'manual')
  let keepsBody = true
  for (let redirects = 0; ; redirects++) {
    const next = redirectionOf(response, { method, url })
    if (!next) return response
    // The next request does not wait for the rest of this response.
    void discard(response)
    if (redirects === MAX_REDIRECTS) throw new TypeError(`more than ${MAX_REDIRECTS} redirects`)
    url = next.url
    method = next.method
    keepsBody &&= next.keepsBody
    if (keepsBody && !outgoing.replayable) {
      throw new TypeError('a redirect needs the body again, and it cannot be sent twice')
    }
    for (const name of next.headersDropped) headers.delete(name)
    setCredentials(headers, await authorization.redirected(method, url))
    response = await outgoing.follow(transport, { url, method, keepsBody, headers })
  }
}

function redirectionOf(response: Response, request: { method: string; url: URL }): Redirection | undefined {
  const location = response.headers.get('location')
  try {
    return redirection(request, { status: response.status, location })
  } catch (error) {
    void discard(response)
    throw error
  }
}
