import type { AxiosResponse, InternalAxiosRequestConfig } from 'axios'

type BeforeRedirect = NonNullable<InternalAxiosRequestConfig['beforeRedirect']>
type Fetch = NonNullable<NonNullable<InternalAxiosRequestConfig['env']>['fetch']>

/** What is meant for one origin must not reach another, whoever set it. */
const CREDENTIALS = ['authorization', 'dpop', 'cookie', 'proxy-authorization']

/**
 * The config's `beforeRedirect`, before which `names` and other credentials are removed from a request to another origin: axios
 * itself sends most headers on, and older versions send `Authorization` to subdomains.
 */
export function keepingFromOtherOrigins(
  { origin }: URL,
  names: readonly string[],
  { beforeRedirect }: InternalAxiosRequestConfig,
): BeforeRedirect {
  return (options, ...details) => {
    if (!URL.canParse(options.href) || new URL(options.href).origin !== origin) {
      for (const name of Object.keys(options.headers)) {
        if ([...names, ...CREDENTIALS].includes(name.toLowerCase())) delete options.headers[name]
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

function reportingFetch(fetch: Fetch): Fetch {
  return async (input, init) => {
    const response = await fetch(input, init)
    if (input instanceof Request) urls.set(input, response.url)
    return response
  }
}

/** The URL that responded to a request, after redirects, if it is known. */
export function finalUrl(request: AxiosResponse['request']): string | undefined {
  if (typeof request !== 'object' || request === null) return undefined
  return urls.get(request) ?? request.res?.responseUrl ?? request.responseURL
}
