import { snapshotBody, type TokenManager, TokenwardError } from '@tokenward/core'
import { type AuthorizedFetch, createFetch } from '@tokenward/fetch'
import { type $Fetch, type CreateFetchOptions, createFetch as createPlainOfetch, type FetchOptions } from 'ofetch'
import type { OfetchOptions } from './options'

/**
 * An ofetch `$Fetch` that attaches access tokens, and sends a request once more with a new token when the API answers 401
 * and the body can be sent again.
 *
 * Its calls reject as those of ofetch do, and with `OriginNotAllowedError` and `TokenRequestError`; the API is sent
 * nothing then, and ofetch's own `retry` leaves them alone.
 *
 * @throws ConfigurationError when neither `baseURL` nor `allowedOrigins` says where tokens may go
 */
export function createOfetch<Name extends string>(
  tokens: TokenManager<Name>,
  client: NoInfer<Name>,
  options: OfetchOptions,
): $Fetch {
  const { baseURL, allowedOrigins, tokenParameters, retryOn401, proofClaims, fetch, ...own } = options
  const ours = { baseURL, allowedOrigins, tokenParameters, retryOn401, proofClaims }
  const authorize = (transport: typeof fetch) => createFetch<Name>(tokens, client, { ...ours, fetch: transport })
  // ofetch joins by itself, so that its hooks and errors name whole URLs; `native` has it from the wrapped fetch.
  const defaults: FetchOptions = baseURL === undefined ? own : { ...own, baseURL: baseURL.toString() }
  return authorized(authorize, { defaults, ...(fetch && { fetch }) })
}

/** ofetch by `globals`, whose `fetch` is the transport below the tokens, not in their place. */
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

/** Core has tried as often as is worth it for a token; ofetch, which takes any error for one of the network, would go on. */
function withoutRetry(fetch: AuthorizedFetch): AuthorizedFetch {
  return async (input, options) => {
    try {
      return await fetch(input, options)
    } catch (error) {
      // ofetch's own object, made for this call.
      if (options && error instanceof TokenwardError) Object.assign(options, { retry: false })
      throw error
    }
  }
}

/** What ofetch wraps in an error of its own reaches the caller as from every other client. */
function unwrap(error: unknown): never {
  throw error instanceof Error && error.cause instanceof TokenwardError ? error.cause : error
}
