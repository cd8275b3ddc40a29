import {
  ConfigurationError,
  isReplayableBody,
  type RequestAuthorization,
  type RequestToAuthorize,
  snapshotBody,
} from '@tokenward/core'
import type { Dispatcher } from 'undici'
import { HeaderSnapshot } from './headers'

type Options = Dispatcher.DispatchOptions

/** A request as it was when it was dispatched: what the caller changes later has no effect. */
export interface OutgoingRequest extends RequestToAuthorize {
  /** Whether the body can be sent a second time. */
  readonly replayable: boolean
  /** The options for undici that send the request with this authorization. */
  authorizedBy(authorization: RequestAuthorization): Options
}

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

/** @throws ConfigurationError when the options name no http(s) origin, or a path that is not one of that origin */
export function outgoingRequest(
  given: Options,
  { client, connectedOrigin, origins }: OutgoingRequestContext,
): OutgoingRequest {
  const { query, ...options } = given
  const refuse = (option: string, message: string): never => {
    throw new ConfigurationError([{ client, option, message }])
  }
  const origin = options.origin === undefined ? connectedOrigin : String(options.origin)
  const connectsTo = origins.of(connectedOrigin ?? origin) ?? refuse('origin', 'must be an http(s) origin')
  const { path } = options
  // undici sends an absolute URL in the path to whatever origin it is connected to, and a proxy there would forward it.
  if (typeof path !== 'string' || !path.startsWith('/')) refuse('path', 'must begin with a slash')
  // `new URL(path, origin)` would take the host of a path that begins with '//'.
  const url = new URL(connectsTo + withQuery(path, query))
  if (path.includes('#')) url.hash = ''
  const headers = new HeaderSnapshot(options.headers)
  const replayable = isReplayableBody(options.body)
  const body = snapshotBody(options.body)
  return {
    method: options.method,
    url,
    headers: () => headers.toHeaders(),
    replayable,
    authorizedBy(authorization) {
      const authorized: Options & { maxRedirections?: number } = {
        ...options,
        path: authorization.url.slice(connectsTo.length),
        headers: headers.with(authorization.headers),
      }
      if (origin !== undefined) authorized.origin = origin
      if (body !== undefined) authorized.body = body
      // A proof is valid for one URL. An interceptor below this one must not send it to another.
      if (authorization.followsRedirects) authorized.maxRedirections = 0
      return authorized
    },
  }
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
