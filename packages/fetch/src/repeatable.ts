import { isReplayableBody, snapshotBody } from '@tokenward/core'

/** The arguments of one call of `fetch`. */
type FetchArguments = [input: string | Request, init: RequestInit]

/** A request that can be sent more than once, if its body allows. */
export interface Repeatable {
  readonly method: string
  readonly url: URL
  /** A new copy at each access, which the reader may change. */
  readonly headers: Headers
  readonly signal: AbortSignal | undefined
  /** What the caller wants to happen with redirects. */
  readonly redirect: RequestRedirect
  /** Whether its body can be sent a second time. */
  readonly replayable: boolean
  /** The arguments that send the request to `url`, with `changes`. */
  take(url: string, changes: RequestInit): FetchArguments
  /** The arguments that send the request to where a redirect leads. */
  again(url: URL, method: string, keepsBody: boolean, changes: RequestInit): FetchArguments
  /** Frees what was kept for another attempt. */
  release(): void
}

/** What `fetch(input, init)` would send now. The caller may change its objects afterwards. */
export function repeatable(input: URL | Request, init: RequestInit): Repeatable {
  return input instanceof URL ? ofUrl(input, init) : ofRequest(input, init)
}

function ofUrl(url: URL, init: RequestInit): Repeatable {
  const headers = new Headers(init.headers)
  const { method = 'GET', body = null, signal, redirect = 'follow' } = init
  const sent: RequestInit = { ...init, body: snapshotBody(body) }
  return {
    method: method.toUpperCase(),
    url,
    get headers() {
      return new Headers(headers)
    },
    signal: signal ?? undefined,
    redirect,
    replayable: isReplayableBody(body),
    take: (target, changes) => [target, { ...sent, ...changes }],
    again: (target, nextMethod, keepsBody, changes) => [
      target.href,
      { ...sent, ...(!keepsBody && { body: null }), method: nextMethod, ...changes },
    ],
    release() {},
  }
}

function ofRequest(input: Request, init: RequestInit): Repeatable {
  // The platform copies everything here, the body included.
  let request = new Request(input, init)
  // These are in the copy. A stream that is given a second time would be refused as used.
  const { body, method, headers: _, ...rest } = init
  // A Request gives its body once, so every attempt gets a clone, except the last one. A Request does not tell whether its
  // body was a stream; the platform buffers what a stream has brought.
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
    // A Request cannot change its URL. Core has checked this one.
    take: (_target, changes) => [copy(), { ...rest, ...changes }],
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
