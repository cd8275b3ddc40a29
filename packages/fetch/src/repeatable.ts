import { isReplayableBody, snapshotBody } from '@tokenward/core'
import { type HeaderSnapshot, snapshotHeaders, withCredentials } from './headers'
import type { AuthorizedRequestInit } from './options'

/** What a redirect leads to. */
interface Followed {
  readonly url: URL
  readonly method: string
  readonly keepsBody: boolean
  readonly headers: Headers
}

/** A request as it was at the moment of the call. It can be sent more than once, if its body allows that. */
export interface Repeatable {
  readonly method: string
  readonly url: string
  /** The headers, as an object of its own. */
  headers(): Headers
  /** The headers with these credentials, which replace others of the same kind. A new object each time. */
  headersWith(credentials: Readonly<Record<string, string>>): Record<string, string> | Headers
  readonly signal: AbortSignal | undefined
  /** What the caller wants done with redirects. */
  readonly redirect: RequestRedirect
  /** Whether its body can be sent again. */
  readonly replayable: boolean
  /** Sends it to `url`, with these headers. */
  send(transport: typeof fetch, url: string, headers: HeadersInit, redirect?: RequestRedirect): Promise<Response>
  /** Sends it where a redirect leads, perhaps by another method and without its body. The next redirect is not followed. */
  follow(transport: typeof fetch, to: Followed): Promise<Response>
  /** It is not sent again: drops the copy of its body. */
  release(): void
}

/**
 * What `fetch(input, init)` would send now. Neither of them is changed, and later changes to them have no effect.
 *
 * @param input a URL in its normal form, or a request
 */
export function repeatable(input: string | Request, init: AuthorizedRequestInit | undefined): Repeatable {
  // The platform takes a signal that is undefined, though its type does not say so.
  const given = init as GivenInit | undefined
  return typeof input === 'string' ? new UrlRequest(input, given) : ofRequest(input, given ?? {})
}

type GivenInit = RequestInit & Omit<AuthorizedRequestInit, keyof RequestInit>

const NOTHING: RequestInit = Object.freeze({})

/** A class, because an object literal would create a closure for each method in each call. */
class UrlRequest implements Repeatable {
  readonly method: string
  readonly url: string
  readonly #headers: HeaderSnapshot
  readonly #body: BodyInit | null | undefined
  /** The options as they are sent, without ours. The headers and the body in it are the caller's, and are always replaced. */
  readonly #rest: RequestInit

  constructor(url: string, init: GivenInit | undefined) {
    this.url = url
    if (init === undefined) {
      this.method = 'GET'
      this.#headers = snapshotHeaders(undefined)
      this.#rest = NOTHING
      return
    }
    const { method, body, headers } = init
    this.method = normalizeMethod(method ?? 'GET')
    this.#headers = snapshotHeaders(headers)
    this.#body = snapshotBody(body)
    this.#rest = otherOptions(init)
    if (method !== undefined) this.#rest.method = this.method
  }

  get signal(): AbortSignal | undefined {
    return this.#rest.signal ?? undefined
  }

  get redirect(): RequestRedirect {
    return this.#rest.redirect ?? 'follow'
  }

  get replayable(): boolean {
    return isReplayableBody(this.#body)
  }

  headers(): Headers {
    return new Headers(this.#headers)
  }

  headersWith(credentials: Readonly<Record<string, string>>): Record<string, string> | Headers {
    return withCredentials(this.#headers, credentials)
  }

  send(transport: typeof fetch, target: string, headers: HeadersInit, redirect?: RequestRedirect): Promise<Response> {
    // A new object each time: who patched the platform's `fetch` may write into it.
    const init: RequestInit = { ...this.#rest, headers }
    if (redirect !== undefined) init.redirect = redirect
    if (this.#body !== undefined) init.body = this.#body
    return transport(target, init)
  }

  follow(transport: typeof fetch, { url, method, keepsBody, headers }: Followed): Promise<Response> {
    const { body: _, ...rest } = this.#rest
    const body = keepsBody && this.#body !== undefined ? { body: this.#body } : {}
    return transport(url.href, { ...rest, ...body, method, headers, redirect: 'manual' })
  }

  release(): void {}
}

/** The options that are for us. */
const OURS = ['tokenParameters', 'retryOn401', 'proofClaims'] as const

/** A copy of all other options. Most calls have none of ours, and a whole object is copied fastest. */
function otherOptions(init: GivenInit): RequestInit {
  const copy = { ...init }
  for (const name of OURS) if (name in copy) delete copy[name]
  return copy as RequestInit
}

function ofRequest(input: Request, given: GivenInit): Repeatable {
  const { tokenParameters, retryOn401, proofClaims, ...init } = given
  let request = new Request(input, init)
  // They are in the request already. A stream that is passed once more would be refused as used.
  const { body, method, headers, ...rest } = init
  // A Request can be sent once, so each attempt but the last gets a copy. A Request does not tell whether its body is a stream. The
  // platform buffers what the stream has brought by then.
  const copy = () => {
    const next = request
    if (request.body) request = request.clone()
    return next
  }
  return {
    method: request.method,
    url: request.url,
    headers: () => new Headers(request.headers),
    headersWith: (credentials) => withCredentials(request.headers, credentials),
    signal: request.signal,
    redirect: request.redirect,
    replayable: isReplayableBody(body),
    // The URL of a Request cannot change.
    send: (transport, _url, headers, redirect) =>
      transport(copy(), redirect === undefined ? { ...rest, headers } : { ...rest, headers, redirect }),
    follow(transport, { url, method: nextMethod, keepsBody, headers }) {
      const { signal, credentials, cache, mode, keepalive } = request
      const kept: RequestInit = { signal, credentials, cache, mode, keepalive, ...rest }
      const init: RequestInit = { ...kept, method: nextMethod, headers, redirect: 'manual' }
      if (!keepsBody || !request.body) return transport(url.href, init)
      return transport(url.href, { ...init, body: copy().body, duplex: 'half' } as RequestInit)
    },
    release() {
      if (!request.bodyUsed) request.body?.cancel().catch(() => {})
    },
  }
}

const NORMALIZED_METHODS = new Set(['DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT'])

/** As the platform sends it (Fetch Standard, normalize a method): `patch` stays in lower case. */
function normalizeMethod(method: string): string {
  if (method === 'GET') return method
  const upper = method.toUpperCase()
  return NORMALIZED_METHODS.has(upper) ? upper : method
}
