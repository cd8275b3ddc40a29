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
  { origin }: URL,
  { beforeRedirect, headers }: InternalAxiosRequestConfig,
): BeforeRedirect {
  const proxyCredentials = headers.get('proxy-authorization')
  return (options, ...details) => {
    if (!URL.canParse(options.href) || new URL(options.href).origin !== origin) {
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

/** The URLs that responded to requests of the fetch adapter. axios does not tell them. */
const urls = new WeakMap<object, string>()
const reporting = new WeakMap<Fetch, Fetch>()

/**
 * The config's `fetch`, or the platform's, wrapped to tell {@link finalUrl} which URL responded. The same `fetch` gets the same
 * wrapper, because axios keeps an adapter for each one.
 */
export function reportingFinalUrl({ env }: InternalAxiosRequestConfig): Fetch {
  if (!env?.fetch) return platformFetch
  let fetch = reporting.get(env.fetch)
  if (!fetch) {
    fetch = reportingFetch(env.fetch)
    reporting.set(env.fetch, fetch)
  }
  return fetch
}

const platformFetch = reportingFetch((input, init) => fetch(input, init))

/** An option for `fetch` by which a request is ended. axios takes `signal` out of its `fetchOptions`. */
const CUT = 'tokenwardCut'

/** The config's `fetchOptions`, with a signal that also ends a response that axios waits for. */
export function withCut(fetchOptions: unknown, signal: AbortSignal): object {
  return { ...(fetchOptions as object | undefined), [CUT]: signal }
}

function reportingFetch(fetch: Fetch): Fetch {
  return async (input, init) => {
    const isRequest = input instanceof Request
    const { [CUT]: cut, ...options } = (init ?? {}) as RequestInit & { [CUT]?: AbortSignal }
    const response = await fetch(
      input,
      isRequest && cut ? { ...options, signal: AbortSignal.any([input.signal, cut]) } : init,
    )
    if (isRequest) urls.set(input, response.url)
    return response
  }
}

/** The URL that responded to a request, after redirects, if it is known. */
export function finalUrl(request: AxiosResponse['request']): string | undefined {
  if (typeof request !== 'object' || request === null) return undefined
  return urls.get(request) ?? request.res?.responseUrl ?? request.responseURL
}
