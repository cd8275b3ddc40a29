import type { AuthorizedCallOptions, AuthorizedClientOptions } from '@tokenward/core'

/** Options of `createFetch`. */
export interface FetchOptions extends AuthorizedClientOptions {
  /** Sends the requests. Default: the platform's `fetch`, as it is at the time of the call. */
  fetch?: typeof fetch | undefined
}

/** Options of one call: those of the platform's `fetch`, and those that override the client's. */
export interface AuthorizedRequestInit extends Omit<RequestInit, 'signal'>, AuthorizedCallOptions {
  /** Ends the call. `undefined`, as some libraries pass it on, is none. */
  signal?: AbortSignal | null | undefined
}
