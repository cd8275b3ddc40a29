import type { AuthorizedCallOptions, AuthorizedClientOptions } from '@tokenward/core'
import type { FetchOptions } from 'ofetch'

declare module 'ofetch' {
  // What one call may decide otherwise than its client; without effect on an ofetch that has no tokens.
  interface FetchOptions extends AuthorizedCallOptions {}
}

/** Options of {@link createOfetch}: all of ofetch's, as the defaults of every call, and those of tokenward. */
export interface OfetchOptions extends Omit<FetchOptions, keyof AuthorizedClientOptions>, AuthorizedClientOptions {
  /** What the requests are made with. Default: the platform's `fetch`, as it is at the time of the call. */
  fetch?: typeof fetch | undefined
}
