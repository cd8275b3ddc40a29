import type { AxiosResponse, InternalAxiosRequestConfig } from 'axios'

type BeforeRedirect = NonNullable<InternalAxiosRequestConfig['beforeRedirect']>
type Fetch = NonNullable<NonNullable<InternalAxiosRequestConfig['env']>['fetch']>

/** Credentials that are meant for one origin. */
const CREDENTIALS = ['authorization', 'cookie', 'dpop', 'proxy-authorization']

/**
 * The config's `beforeRedirect`, which first removes credentials and `names` from requests to other origins. axios itself
 * sends on all headers but a few, and takes a subdomain for the same site.
 */
export function keepingFromOtherOrigins(
  { origin }: URL,
  names: readonly string[],
  { beforeRedirect }: InternalAxiosRequestConfig,
): BeforeRedirect {
  return (options, ...details) => {
    if (!URL.canParse(options.href) || new URL(options.href).origin !== origin) {
      for (const name of Object.keys(options.headers)) {
        if ([...CREDENTIALS, ...names].includes(name.toLowerCase())) delete options.headers[name]
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
