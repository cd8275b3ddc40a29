import type { AuthorizedCallOptions, AuthorizedClientOptions } from '@tokenward/core'
import type { FetchOptions } from 'ofetch'

declare module 'ofetch' {
  // Options of one call. They have no effect on an ofetch without tokens.
  interface FetchOptions extends AuthorizedCallOptions {}
}

/** Options of {@link createOfetch}: all of ofetch's, which are defaults of every call, and those of tokenward. */
export interface OfetchOptions extends Omit<FetchOptions, keyof AuthorizedClientOptions>, AuthorizedClientOptions {
  /** The `fetch` that sends the requests. Default: the platform's `fetch`, as it is at the time of the call. */
  fetch?: typeof fetch | undefined
}
