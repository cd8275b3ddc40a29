import { copyByName, snapshotBody, type TokenManager, TokenwardError } from '@tokenward/core'
import { type AuthorizedFetch, createFetch } from '@tokenward/fetch'
import { type $Fetch, type CreateFetchOptions, createFetch as createPlainOfetch, type FetchOptions } from 'ofetch'
import type { OfetchOptions } from './options'

/**
 * An ofetch `$Fetch` that attaches access tokens, and sends a request once more with a new token when the API responds 401 and the
 * body can be sent again.
 *
 * Its calls reject as those of ofetch do, and with `OriginNotAllowedError`, `TokenRequestError` and
 * `ConfigurationError` (a relative URL without `baseURL`). The API gets no request then, and
 * ofetch's own `retry` does not apply.
 *
 * @example
 * const catalog = createOfetch(tokens, 'catalog.client', { baseURL: 'https://api.example/catalog' })
 * const items = await catalog<Item[]>('items')
 *
 * @throws ConfigurationError when `tokens` is no token manager, when neither `baseURL` nor `allowedOrigins` says where tokens
 * may go, or when tokens would travel by plain http
 */
export function createOfetch<Name extends string>(
  tokens: TokenManager<Name>,
  client: NoInfer<Name>,
  options: OfetchOptions,
): $Fetch {
  const { baseURL, allowedOrigins, claimsChallenges, stepUp, tokenParameters, retryOn401, proofClaims, fetch, ...own } =
    options ?? {}
  const ours = { baseURL, allowedOrigins, claimsChallenges, stepUp, tokenParameters, retryOn401, proofClaims }
  const authorize = (transport: typeof fetch) => createFetch<Name>(tokens, client, { ...ours, fetch: transport })
  // ofetch joins URLs itself, so that its hooks and errors have whole URLs. `native` gets the base from the wrapped fetch.
  const defaults: FetchOptions = baseURL === undefined ? own : { ...own, baseURL: baseURL.toString() }
  return authorized(authorize, { defaults, ...(fetch && { fetch }) })
}

/** ofetch with these options. Their `fetch` sends the requests that already have a token. */
function authorized(
  authorize: (transport: typeof fetch | undefined) => AuthorizedFetch,
  globals: CreateFetchOptions,
): $Fetch {
  const native = authorize(globals.fetch)
  const inner = createPlainOfetch({ ...globals, fetch: withoutRetry(native) as typeof fetch })
  const call = (request: Target, options?: FetchOptions) => inner(detached(request), snapshot(options)).catch(unwrap)
  return Object.assign(call, {
    raw: (request: Target, options?: FetchOptions) => inner.raw(detached(request), snapshot(options)).catch(unwrap),
    native,
    create(defaults: FetchOptions = {}, more: CreateFetchOptions = {}) {
      const merged = { ...globals.defaults, ...more.defaults, ...defaults }
      return authorized(authorize, { ...globals, ...more, defaults: merged })
    },
  }) as $Fetch
}

type Target = Parameters<$Fetch>[0]

/** A copy of a URL object: the caller may change its own while ofetch waits for a hook, or before it retries. */
function detached(request: Target): Target {
  // ofetch passes a URL object on, although its types do not allow one.
  return (request as unknown) instanceof URL ? (new URL(request as string) as unknown as Target) : request
}

/** The options of a call, with a copy of its body, for the same reason. */
function snapshot(options: FetchOptions | undefined): FetchOptions | undefined {
  return options?.body ? { ...options, body: snapshotBody(options.body) } : options
}

/** Core has retried the token request already. ofetch would retry again, because it takes any error for a network error. */
function withoutRetry(fetch: AuthorizedFetch): AuthorizedFetch {
  return (input, options) =>
    // ofetch has deleted some of its own options.
    fetch(input, options && copyByName(options)).catch((error: unknown) => {
      // The object belongs to ofetch, which made it for this call.
      if (options && error instanceof TokenwardError) Object.assign(options, { retry: false })
      throw error
    })
}

/** The errors of tokenward reach the caller as they are, without ofetch's error around them. */
function unwrap(error: unknown): never {
  throw error instanceof Error && error.cause instanceof TokenwardError ? error.cause : error
}
