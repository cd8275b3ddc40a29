/** A request that can be made twice, if its body allows. */
export interface Repeatable {
  readonly method: string
  readonly url: URL
  /** The request's headers: a copy, for the sender to add to. */
  readonly headers: Headers
  readonly signal: AbortSignal | undefined
  /** Whether {@link take} gives the whole request a second time. */
  readonly replayable: boolean
  /** The arguments of one call of `fetch`. */
  take(): [input: string | Request, init: RequestInit]
  /** There will be no second time: what was kept for it is let go. */
  release(): void
}

/** What `fetch(input, init)` would send, without changing either of them. */
export function repeatable(input: URL | Request, init: RequestInit): Repeatable {
  return input instanceof URL ? ofUrl(input, init) : ofRequest(input, init)
}

function ofUrl(url: URL, init: RequestInit): Repeatable {
  const headers = new Headers(init.headers)
  return {
    method: init.method?.toUpperCase() ?? 'GET',
    url,
    headers,
    signal: init.signal ?? undefined,
    replayable: canBeSentAgain(init.body),
    take: () => [url.href, { ...init, headers }],
    release() {},
  }
}

function ofRequest(input: Request, init: RequestInit): Repeatable {
  const request = new Request(input, init)
  const headers = new Headers(request.headers)
  // They are in the request; given once more, a stream would be refused as used.
  const { body, method, ...rest } = init
  // A Request gives its body once, so the first sending gets a copy. It does not tell a stream from a text; what a
  // stream has brought by then is buffered by the platform.
  let first: Request | undefined = request.body ? request.clone() : undefined
  return {
    method: request.method,
    url: new URL(request.url),
    headers,
    signal: request.signal,
    replayable: !isStream(body),
    take() {
      const next = first ?? request
      first = undefined
      return [next, { ...rest, headers }]
    },
    release() {
      if (!request.bodyUsed) request.body?.cancel().catch(() => {})
    },
  }
}

function canBeSentAgain(body: unknown): boolean {
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

function isStream(body: unknown): boolean {
  return !canBeSentAgain(body)
}
