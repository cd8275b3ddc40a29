import {
  ConfigurationError,
  isReplayableBody,
  type RequestAuthorization,
  type RequestToAuthorize,
  snapshotBody,
} from '@tokenward/core'
import type { Dispatcher } from 'undici'
import { copyHeaders, type HeaderPairs, replaceHeaders, toHeaders } from './headers'

/** A copy of a request, taken when it was dispatched: the caller may change its options object afterwards. */
export class OutgoingRequest {
  readonly #options: Dispatcher.DispatchOptions
  readonly #url: URL
  readonly #headers: HeaderPairs
  /** Whether the body can be sent a second time. */
  readonly replayable: boolean

  /** @throws ConfigurationError when `origin` is missing, or when `path` does not begin with a slash */
  constructor(options: Dispatcher.DispatchOptions, client: string) {
    this.#url = destination(options, client)
    this.#headers = copyHeaders(options.headers)
    this.#options = { ...options, body: snapshotBody(options.body ?? null) }
    this.replayable = isReplayableBody(this.#options.body)
  }

  toAuthorize(): RequestToAuthorize {
    return { method: this.#options.method, url: this.#url, headers: () => toHeaders(this.#headers) }
  }

  /** The options to dispatch: they lead to the URL that core has checked. */
  authorizedBy({ url, headers, followsRedirects }: RequestAuthorization): Dispatcher.DispatchOptions {
    const { origin, pathname, search } = new URL(url)
    const options: Dispatcher.DispatchOptions & { maxRedirections?: number } = {
      ...this.#options,
      origin,
      path: pathname + search,
      headers: replaceHeaders(this.#headers, headers),
    }
    delete options.query
    // A redirect interceptor below this one would send the DPoP proof to another URL.
    if (followsRedirects) options.maxRedirections = 0
    return options
  }
}

/**
 * The URL of a request. Its origin is that of `origin`, because undici connects there: `new URL(path, origin)` would take
 * the host from a path such as `//host/x` or `/\host/x`.
 */
function destination({ origin, path, query }: Dispatcher.DispatchOptions, client: string): URL {
  if (origin === undefined || origin === null) {
    throw configurationError(client, 'origin', 'missing: the request does not say which API it is for')
  }
  const server = new URL(origin)
  if (server.protocol !== 'https:' && server.protocol !== 'http:') return server
  // A proxy takes the host of an absolute-form path (RFC 9112 §3.2.2) for the request's own.
  if (typeof path !== 'string' || !/^[\\/]/.test(path)) {
    throw configurationError(client, 'path', 'must begin with a slash; a whole URL is refused')
  }
  const url = new URL(server.origin + path)
  const parameters = serializeQuery(query)
  if (parameters !== '') url.search = url.search === '' ? parameters : `${url.search}&${parameters}`
  return url
}

function configurationError(client: string, option: string, message: string): ConfigurationError {
  return new ConfigurationError([{ client, option, message }])
}

/** As undici serializes `query`: an array becomes one parameter for each value. */
function serializeQuery(query: Dispatcher.DispatchOptions['query']): string {
  return Object.entries(query ?? {})
    .flatMap(([name, value]) =>
      [value].flat().map((one) => `${encodeURIComponent(name)}=${encodeURIComponent(text(one))}`),
    )
    .join('&')
}

function text(value: unknown): string {
  return value === undefined || value === null || typeof value === 'object' ? '' : String(value)
}
