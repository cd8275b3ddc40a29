/** Whether a body can be sent a second time. A stream cannot: what was read from it is gone. */
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

/**
 * The body as it is now: a caller that changes its own object while a token is requested does not change what is sent. What
 * cannot change (a string, a Blob), and a stream, is returned as it is.
 */
export function snapshotBody<Body>(body: Body): Body
export function snapshotBody(body: unknown): unknown {
  // Most requests have none. The platform loads some of the classes below when they are first named.
  if (typeof body !== 'object' || body === null) return body
  if (body instanceof URLSearchParams) return new URLSearchParams(body)
  if (body instanceof ArrayBuffer) return body.slice(0)
  // `slice` of a typed array keeps its class: a Buffer stays a Buffer, whose own `slice` would not copy.
  if (body instanceof Uint8Array) return Uint8Array.prototype.slice.call(body)
  if (ArrayBuffer.isView(body)) return new Uint8Array(body.buffer, body.byteOffset, body.byteLength).slice()
  if (body instanceof FormData) {
    const copy = new FormData()
    for (const [name, value] of body.entries()) copy.append(name, value)
    return copy
  }
  return body
}

/** The request that a redirect leads to. */
export interface Redirection {
  readonly url: URL
  readonly method: string
  /** Whether the body is sent on. */
  readonly keepsBody: boolean
  /** Lower-case names of the headers that must not be sent on: those of a dropped body, and credentials to another origin. */
  readonly headersDropped: readonly string[]
}

const BODY_HEADERS = ['content-encoding', 'content-language', 'content-length', 'content-location', 'content-type']
/** What is meant for one origin must not reach another. */
const ORIGIN_HEADERS = ['authorization', 'dpop', 'cookie', 'proxy-authorization', 'host']

/**
 * The request that a response redirects to, for an adapter that follows redirects itself (Fetch Standard, HTTP-redirect
 * fetch). Undefined when the response is no redirect.
 *
 * @throws TypeError when the redirect leads to a URL that is not http(s)
 */
export function redirection(
  request: { readonly method: string; readonly url: URL },
  response: { readonly status: number; readonly location: string | null | undefined },
): Redirection | undefined {
  const { status, location } = response
  if (!REDIRECT_STATUSES.has(status) || location === null || location === undefined) return undefined
  if (!URL.canParse(location, request.url)) throw new TypeError('the Location of a redirect is not a URL')
  const url = new URL(location, request.url)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new TypeError(`a redirect leads to a URL that is not http(s): ${url.protocol}`)
  }
  // Some clients would make an Authorization header of them, in place of ours.
  Object.assign(url, { username: '', password: '' })
  // A fragment of the request is kept when the redirect has none.
  if (url.hash === '') url.hash = request.url.hash
  const keepsBody = !turnsIntoGet(status, request.method)
  const headersDropped = [
    ...(keepsBody ? [] : BODY_HEADERS),
    ...(url.origin === request.url.origin ? [] : ORIGIN_HEADERS),
  ]
  return { url, method: keepsBody ? request.method : 'GET', keepsBody, headersDropped }
}

const REDIRECT_STATUSES = new Set([301, 302, 303, 307, 308])

function turnsIntoGet(status: number, method: string): boolean {
  if (status === 303) return method !== 'GET' && method !== 'HEAD'
  return (status === 301 || status === 302) && method === 'POST'
}

const MAX_DISCARDED_BYTES = 64 * 1024
const MAX_DISCARD_MS = 1_000

/** Limits how much of a dropped response is read, so that its connection can serve another request. */
export interface DiscardLimit {
  /** Counts bytes that were read. */
  count(bytes: number): void
  /** Has to be called when the response has ended. */
  release(): void
}

/**
 * Calls `cut` once, as soon as more than 64 KiB were read or 1 s has passed: such a response costs more than a new connection.
 * The timer keeps no process alive.
 *
 * @param cut ends the response's connection
 */
export function discardLimit(cut: () => void): DiscardLimit {
  let left = MAX_DISCARDED_BYTES
  const timer: unknown = setTimeout(cut, MAX_DISCARD_MS)
  // Node, Bun and Deno return an object; browsers and workerd a number, which keeps nothing alive.
  if (typeof timer === 'object') (timer as { unref?(): void } | null)?.unref?.()
  const release = () => clearTimeout(timer as number)
  return {
    count(bytes) {
      if (left < 0) return
      left -= bytes
      if (left >= 0) return
      release()
      cut()
    },
    release,
  }
}
