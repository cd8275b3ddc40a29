import type { AxiosResponse, InternalAxiosRequestConfig } from 'axios'

type BeforeRedirect = NonNullable<InternalAxiosRequestConfig['beforeRedirect']>
type Fetch = NonNullable<NonNullable<InternalAxiosRequestConfig['env']>['fetch']>

/**
 * The config's `beforeRedirect`, before which `names` are taken from requests to other origins: axios itself goes on
 * sending all headers but a few, and in older versions `Authorization` to subdomains.
 */
export function keepingFromOtherOrigins(
  { origin }: URL,
  names: readonly string[],
  { beforeRedirect }: InternalAxiosRequestConfig,
): BeforeRedirect {
  return (options, ...details) => {
    if (!URL.canParse(options.href) || new URL(options.href).origin !== origin) {
      for (const name of Object.keys(options.headers)) {
        if (names.includes(name.toLowerCase())) delete options.headers[name]
      }
    }
    beforeRedirect?.(options, ...details)
  }
}

/** Where the answers to the requests of the fetch adapter came from; axios does not tell. */
const urls = new WeakMap<object, string>()
const reporting = new WeakMap<Fetch, Fetch>()

/**
 * The config's `fetch`, or the platform's, made to tell {@link finalUrl} where answers come from. The same one for the
 * same `fetch`: axios keeps an adapter for every one that it has seen.
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

/** The URL that the answer to a request came from, after redirects, where that can be known. */
export function finalUrl(request: AxiosResponse['request']): string | undefined {
  if (typeof request !== 'object' || request === null) return undefined
  return urls.get(request) ?? request.res?.responseUrl ?? request.responseURL
}
