import {
  ConfigurationError,
  isReplayableBody,
  type RequestAuthorization,
  type RequestToAuthorize,
  snapshotBody,
} from '@tokenward/core'
import type { Dispatcher } from 'undici'
import { type HeaderSnapshot, replaceHeaders, snapshotHeaders, toHeaders } from './headers'

type Options = Dispatcher.DispatchOptions

/** Reads a request's options, once. */
export interface OutgoingRequestContext {
  /** The client's name, for errors. */
  readonly client: string
  /** The only origin that the dispatcher connects to: of a `Client` or `Pool`. Undefined for an `Agent`. */
  readonly connectedOrigin: string | undefined
  readonly origins: HttpOrigins
}

/** The http(s) origins of texts. Remembers the last one: most requests go to one origin. */
export class HttpOrigins {
  #last: string | undefined
  #lastOrigin: string | undefined

  of(text: string | undefined): string | undefined {
    if (text !== this.#last) {
      this.#lastOrigin = httpOrigin(text)
      this.#last = text
    }
    return this.#lastOrigin
  }
}

/** A request as it was when it was dispatched: what the caller changes later has no effect. */
export class OutgoingRequest implements RequestToAuthorize {
  readonly method: Options['method']
  readonly url: string
  /** A copy of the caller's. It is what was sent last. */
  #options: Options
  readonly #origin: string | undefined
  readonly #connectsTo: string
  readonly #headers: HeaderSnapshot
  readonly #body: Options['body']
  #isSent = false

  /** @throws ConfigurationError when the options name no http(s) origin, or a path that is not one of that origin */
  constructor(given: Options, { client, connectedOrigin, origins }: OutgoingRequestContext) {
    const options = { ...given }
    const { method, path, query, origin, headers, body } = options
    this.#origin = origin === undefined ? connectedOrigin : String(origin)
    this.#connectsTo =
      origins.of(connectedOrigin ?? this.#origin) ?? refuse(client, 'origin', 'must be an http(s) origin')
    // undici sends an absolute URL in the path to whatever origin it is connected to, and a proxy there would forward it.
    if (typeof path !== 'string' || !path.startsWith('/')) refuse(client, 'path', 'must begin with a slash')
    this.method = method
    // Joined as texts: a URL parser would take the host of a path that begins with '//'.
    this.url = this.#connectsTo + withoutFragment(withQuery(path, query))
    this.#options = options
    this.#headers = snapshotHeaders(headers)
    this.#body = snapshotBody(body)
  }

  headers(): Headers {
    return toHeaders(this.#headers)
  }

  /** Whether the body can be sent a second time. */
  get replayable(): boolean {
    return isReplayableBody(this.#body)
  }

  /** The options for undici that send the request with this authorization: a new object, unless it is the first attempt. */
  authorizedBy(authorization: RequestAuthorization): Options {
    const options: Options & { maxRedirections?: number } = this.#isSent ? { ...this.#options } : this.#options
    this.#isSent = true
    this.#options = options
    // An interceptor below this one may have changed what was sent before.
    options.path = authorization.url.slice(this.#connectsTo.length)
    options.headers = replaceHeaders(this.#headers, authorization.headers)
    options.method = this.method
    // It is in the path.
    if ('query' in options) delete options.query
    if (this.#origin !== undefined) options.origin = this.#origin
    if (this.#body !== undefined) options.body = this.#body
    // A proof is valid for one URL. An interceptor below this one must not send it to another.
    if (authorization.followsRedirects) options.maxRedirections = 0
    return options
  }
}

function withoutFragment(path: string): string {
  const start = path.indexOf('#')
  return start === -1 ? path : path.slice(0, start)
}

function refuse(client: string, option: string, message: string): never {
  throw new ConfigurationError([{ client, option, message }])
}

function httpOrigin(origin: string | undefined): string | undefined {
  if (origin === undefined || !URL.canParse(origin)) return undefined
  const url = new URL(origin)
  return url.protocol === 'https:' || url.protocol === 'http:' ? url.origin : undefined
}

/** Joins them as undici does. */
function withQuery(path: string, query: Options['query']): string {
  if (!query) return path
  if (/[?#]/.test(path)) throw new TypeError('query cannot be combined with a path that has a query or a fragment')
  const parameters = Object.entries(query).flatMap(([name, value]: [string, unknown]) =>
    [value].flat().map((one) => `${encodeURIComponent(name)}=${encodeURIComponent(primitive(one))}`),
  )
  return parameters.length === 0 ? path : `${path}?${parameters.join('&')}`
}

/** What is no primitive value becomes an empty one, as in `node:querystring`. */
function primitive(value: unknown): string {
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : ''
  return typeof value === 'string' || typeof value === 'boolean' || typeof value === 'bigint' ? String(value) : ''
}
