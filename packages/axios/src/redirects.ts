import type { AxiosResponse, InternalAxiosRequestConfig } from 'axios'

type BeforeRedirect = NonNullable<InternalAxiosRequestConfig['beforeRedirect']>
type Fetch = NonNullable<NonNullable<InternalAxiosRequestConfig['env']>['fetch']>

/** What is meant for one origin must not reach another, whoever set it. */
const CREDENTIALS = new Set(['authorization', 'dpop', 'cookie'])

/**
 * The config's `beforeRedirect`, before which credentials are removed from a request to another origin: axios itself sends most
 * headers on, and older versions send `Authorization` to subdomains.
 */
export function keepingFromOtherOrigins(
  url: string,
  { beforeRedirect, headers }: InternalAxiosRequestConfig,
): BeforeRedirect {
  return (options, ...details) => {
    const proxyCredentials = headers.get('proxy-authorization')
    if (!URL.canParse(options.href) || new URL(options.href).origin !== new URL(url).origin) {
      for (const [name, value] of Object.entries(options.headers)) {
        const lower = name.toLowerCase()
        // axios has set its own for the config's `proxy` by then, and the proxy needs that.
        const isCallers = lower === 'proxy-authorization' && value === proxyCredentials
        if (CREDENTIALS.has(lower) || isCallers) delete options.headers[name]
      }
    }
    beforeRedirect?.(options, ...details)
  }
}

/** By the request of a response of the fetch adapter: what axios does not keep. */
const urls = new WeakMap<object, string>()
const connections = new WeakMap<object, AbortController>()

/** Makes the `fetch` that the fetch adapter gets. Always the same one for the same `fetch`: axios keeps an adapter for each. */
function reporting(closable: boolean): (fetch: Fetch | undefined) => Fetch {
  const made = new WeakMap<Fetch, Fetch>()
  const ofPlatform = reportingFetch((input, init) => fetch(input, init), closable)
  return (own) => {
    if (!own) return ofPlatform
    const known = made.get(own)
    if (known) return known
    const fetch = reportingFetch(own, closable)
    made.set(own, fetch)
    return fetch
  }
}

function reportingFetch(fetch: Fetch, closable: boolean): Fetch {
  return async (input, init) => {
    if (!(input instanceof Request)) return fetch(input, init)
    const response = await fetch(input, closable ? { ...init, signal: closingSignal(input) } : init)
    urls.set(input, response.url)
    return response
  }
}

function closingSignal(request: Request): AbortSignal {
  const controller = new AbortController()
  connections.set(request, controller)
  return AbortSignal.any([request.signal, controller.signal])
}

const ofStreams = reporting(true)
const ofOthers = reporting(false)

/** The config's `fetch`, or the platform's, for use with {@link finalUrl} and {@link closeConnection}. */
export function reportingFinalUrl({ env, responseType }: InternalAxiosRequestConfig): Fetch {
  return responseType === 'stream' ? ofStreams(env?.fetch) : ofOthers(env?.fetch)
}

/**
 * Closes the connection of a streamed response of the fetch adapter. To cancel the stream does not close it when axios has
 * wrapped the stream, which it does for a `signal` or a `timeout`.
 */
export function closeConnection(request: AxiosResponse['request']): void {
  if (typeof request === 'object' && request !== null) connections.get(request)?.abort()
}

/** The URL that responded to a request, after redirects. Undefined where it is not known. */
export function finalUrl(request: AxiosResponse['request']): string | undefined {
  if (typeof request !== 'object' || request === null) return undefined
  return urls.get(request) ?? request.res?.responseUrl ?? request.responseURL
}
