import { isReplayableBody, snapshotBody } from '@tokenward/core'

/** The arguments of one call of `fetch`. */
type FetchArguments = [input: string | Request, init: RequestInit]

/** A request as it was at the moment of the call. It can be sent more than once, if its body allows that. */
export interface Repeatable {
  readonly method: string
  readonly url: URL
  /** A new copy each time. */
  readonly headers: Headers
  readonly signal: AbortSignal | undefined
  /** What the caller wants done with redirects. */
  readonly redirect: RequestRedirect
  /** Whether its body can be sent again. */
  readonly replayable: boolean
  /** The arguments that send it to `url`, with `changes`. */
  take(url: string, changes: RequestInit): FetchArguments
  /** The arguments that send it where a redirect leads, perhaps by another method and without its body. */
  again(url: URL, method: string, keepsBody: boolean, changes: RequestInit): FetchArguments
  /** It is not sent again: drops the copy of its body. */
  release(): void
}

/** What `fetch(input, init)` would send now. Neither of them is changed, and later changes to them have no effect. */
export function repeatable(input: URL | Request, init: RequestInit): Repeatable {
  return input instanceof URL ? ofUrl(input, init) : ofRequest(input, init)
}

function ofUrl(url: URL, given: RequestInit): Repeatable {
  const init = { ...given, ...(given.body !== undefined && { body: snapshotBody(given.body) }) }
  const headers = new Headers(given.headers)
  const { method = 'GET', body, signal, redirect = 'follow' } = init
  return {
    method: method.toUpperCase(),
    url,
    get headers() {
      return new Headers(headers)
    },
    signal: signal ?? undefined,
    redirect,
    replayable: isReplayableBody(body),
    take: (target, changes) => [target, { ...init, ...changes }],
    again(target, nextMethod, keepsBody, changes) {
      const { body: sent, ...rest } = init
      return [target.href, { ...rest, ...(keepsBody && { body: sent ?? null }), method: nextMethod, ...changes }]
    },
    release() {},
  }
}

function ofRequest(input: Request, init: RequestInit): Repeatable {
  let request = new Request(input, init)
  // They are in the request already. A stream that is passed once more would be refused as used.
  const { body, method, ...rest } = init
  // A Request can be sent once, so each attempt but the last gets a copy. A Request does not tell whether its body is a stream. The
  // platform buffers what the stream has brought by then.
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
    // The URL of a Request cannot change.
    take: (_url, changes) => [copy(), { ...rest, ...changes }],
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
