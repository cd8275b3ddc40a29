/** Whether a body can be sent a second time as it is. A stream cannot: what it has given, it does not give again. */
export function isReplayableBody(body: unknown): boolean {
  return (
    body === undefined ||
    body === null ||
    typeof body === 'string' ||
    body instanceof URLSearchParams ||
    body instanceof FormData ||
    body instanceof Blob ||
    body instanceof ArrayBuffer ||
    ArrayBuffer.isView(body)
  )
}

/** What a redirect makes of a request, beside its URL. */
export interface Redirection {
  readonly method: string
  /** Whether the body is sent on. If not, {@link Redirection.headersDropped} go with it. */
  readonly keepsBody: boolean
  /** Lower-case names of the headers that are about the body that is no longer there. */
  readonly headersDropped: readonly string[]
}

const BODY_HEADERS = ['content-encoding', 'content-language', 'content-length', 'content-location', 'content-type']

/**
 * What an answer of this status makes of a request that has to be sent on by hand, because a proof is good for one URL
 * (Fetch Standard, HTTP-redirect fetch); undefined when the answer is no redirect.
 */
export function redirection(status: number, method: string): Redirection | undefined {
  const turnsToGet =
    status === 303 ? method !== 'GET' && method !== 'HEAD' : (status === 301 || status === 302) && method === 'POST'
  if (turnsToGet) return { method: 'GET', keepsBody: false, headersDropped: BODY_HEADERS }
  const isRedirect = status === 301 || status === 302 || status === 303 || status === 307 || status === 308
  return isRedirect ? { method, keepsBody: true, headersDropped: [] } : undefined
}
