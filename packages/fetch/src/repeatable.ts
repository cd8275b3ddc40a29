import { isReplayableBody } from '@tokenward/core'

/** The arguments of one call of `fetch`. */
type FetchArguments = [input: string | Request, init: RequestInit]

/** A request that can be made more than once, if its body allows. */
export interface Repeatable {
  readonly method: string
  readonly url: URL
  /** A copy at each reading, for the reader to change. */
  readonly headers: Headers
  readonly signal: AbortSignal | undefined
  /** How redirects are to be dealt with, by the caller's wish. */
  readonly redirect: RequestRedirect
  /** Whether its body can be sent again. */
  readonly replayable: boolean
  /** The request, with `changes`. */
  take(changes: RequestInit): FetchArguments
  /** The request as a redirect makes it: to another URL, perhaps by another method and without its body. */
  again(url: URL, method: string, keepsBody: boolean, changes: RequestInit): FetchArguments
  /** It is not made again: what was kept for that is let go. */
  release(): void
}

/** What `fetch(input, init)` would send, without changing either of them. */
export function repeatable(input: URL | Request, init: RequestInit): Repeatable {
  return input instanceof URL ? ofUrl(input, init) : ofRequest(input, init)
}

function ofUrl(url: URL, init: RequestInit): Repeatable {
  const { method = 'GET', body, signal, redirect = 'follow' } = init
  return {
    method: method.toUpperCase(),
    url,
    get headers() {
      return new Headers(init.headers)
    },
    signal: signal ?? undefined,
    redirect,
    replayable: isReplayableBody(body),
    take: (changes) => [url.href, { ...init, ...changes }],
    again(target, nextMethod, keepsBody, changes) {
      const { body: sent, ...rest } = init
      return [target.href, { ...rest, ...(keepsBody && { body: sent ?? null }), method: nextMethod, ...changes }]
    },
    release() {},
  }
}

function ofRequest(input: Request, init: RequestInit): Repeatable {
  let request = new Request(input, init)
  // They are in the request; given once more, a stream would be refused as used.
  const { body, method, ...rest } = init
  // A Request gives its body once, so each sending but the last gets a copy. It does not tell a stream from a text; what
  // a stream has brought by then is buffered by the platform.
  const copy = () => {
    const next = request
    if (request.body) request = request.clone()
    return next
  }
  return {
    method: request.method,
    url: new URL(request.url),
    get headers() {
      return new Headers(request.headers)
    },
    signal: request.signal,
    redirect: request.redirect,
    replayable: isReplayableBody(body),
    take: (changes) => [copy(), { ...rest, ...changes }],
    again(target, nextMethod, keepsBody, changes) {
      const { signal, credentials, cache, mode, keepalive } = request
      const kept = { signal, credentials, cache, mode, keepalive, ...rest, method: nextMethod, ...changes }
      if (!keepsBody || !request.body) return [target.href, kept]
      return [target.href, { ...kept, body: copy().body, duplex: 'half' } as RequestInit]
    },
    release() {
      if (!request.bodyUsed) request.body?.cancel().catch(() => {})
    },
  }
}
