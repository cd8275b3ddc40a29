import { snapshotBody, type TokenManager, TokenwardError } from '@tokenward/core'
import { type AuthorizedFetch, createFetch } from '@tokenward/fetch'
import { type $Fetch, type CreateFetchOptions, createFetch as createPlainOfetch, type FetchOptions } from 'ofetch'
import type { OfetchOptions } from './options'

/**
 * An ofetch `$Fetch` that attaches access tokens, and sends a request once more with a new token when the API responds 401
 * and the body can be sent a second time.
 *
 * Its calls reject as those of ofetch do, and with `OriginNotAllowedError`, `TokenRequestError` and `ConfigurationError` (a
 * relative URL without `baseURL`). In these cases nothing is sent to the API, and ofetch's own `retry` does not apply.
 *
 * @throws ConfigurationError when `tokens` is no token manager, when neither `baseURL` nor `allowedOrigins` says where
 * tokens may go, or when tokens would travel by plain http
 */
export function createOfetch<Name extends string>(
  tokens: TokenManager<Name>,
  client: NoInfer<Name>,
  options: OfetchOptions,
): $Fetch {
  const { baseURL, allowedOrigins, tokenParameters, retryOn401, proofClaims, fetch, ...own } = options
  const ours = { baseURL, allowedOrigins, tokenParameters, retryOn401, proofClaims }
  const authorize = (transport: typeof fetch) => createFetch<Name>(tokens, client, { ...ours, fetch: transport })
  // ofetch joins URLs itself, so that its hooks and errors have whole URLs. `native` does not, so our fetch joins them.
  const defaults: FetchOptions = baseURL === undefined ? own : { ...own, baseURL: baseURL.toString() }
  return authorized(authorize, { defaults, ...(fetch && { fetch }) })
}

/** Makes an ofetch of `globals`. Their `fetch` sends the requests that have got their tokens. */
function authorized(
  authorize: (transport: typeof fetch | undefined) => AuthorizedFetch,
  globals: CreateFetchOptions,
): $Fetch {
  const native = authorize(globals.fetch)
  const inner = createPlainOfetch({ ...globals, fetch: withoutRetry(native) as typeof fetch })
  const call = (...args: Parameters<$Fetch>) => inner(...snapshot(args)).catch(unwrap)
  return Object.assign(call, {
    raw: (...args: Parameters<$Fetch['raw']>) => inner.raw(...snapshot(args)).catch(unwrap),
    native,
    create(defaults: FetchOptions = {}, more: CreateFetchOptions = {}) {
      const merged = { ...globals.defaults, ...more.defaults, ...defaults }
      return authorized(authorize, { ...globals, ...more, defaults: merged })
    },
  }) as $Fetch
}

/** Copies of a call's URL and body, which the caller may change while ofetch waits for hooks or retries. */
function snapshot<Arguments extends Parameters<$Fetch>>([request, options]: Arguments): Parameters<$Fetch> {
  // ofetch passes a URL object on, although its types do not have it.
  const url: unknown = request
  const copy = url instanceof URL ? (new URL(url) as unknown as typeof request) : request
  return options?.body ? [copy, { ...options, body: snapshotBody(options.body) }] : [copy, options]
}

/** Turns off ofetch's `retry` when no token can be had: core has retried already, and ofetch would retry any error. */
function withoutRetry(fetch: AuthorizedFetch): AuthorizedFetch {
  return async (input, options) => {
    try {
      return await fetch(input, options)
    } catch (error) {
      // This object is ofetch's own, made for this call.
      if (options && error instanceof TokenwardError) Object.assign(options, { retry: false })
      throw error
    }
  }
}

/** Takes our errors out of the `FetchError` that ofetch wraps around them, so that every adapter rejects with the same. */
function unwrap(error: unknown): never {
  throw error instanceof Error && error.cause instanceof TokenwardError ? error.cause : error
}
