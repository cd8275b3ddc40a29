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

/** The URLs of the fetch adapter's responses. axios does not keep them. */
const urls = new WeakMap<object, string>()
const reporting = new WeakMap<Fetch, Fetch>()

/**
 * The config's `fetch`, or the platform's, which also keeps the URL of each response for {@link finalUrl}. The result is the
 * same function for the same `fetch`, because axios keeps one adapter for each `fetch` that it has seen.
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

/** The URL that responded to a request, after redirects. Undefined where it is not known. */
export function finalUrl(request: AxiosResponse['request']): string | undefined {
  if (typeof request !== 'object' || request === null) return undefined
  return urls.get(request) ?? request.res?.responseUrl ?? request.responseURL
}
