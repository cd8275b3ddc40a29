import type { AccessToken } from './access-token'
import type { ClientAssertion } from './client-assertion'

/** What one call requests in place of what its client's definition says. */
export interface TokenParameters {
  /** Scopes, separated by spaces (RFC 6749 §3.3). It replaces the definition's. */
  scope?: string | undefined
  /** The APIs that the token is for (RFC 8707). It replaces the definition's. */
  resource?: string | URL | readonly (string | URL)[] | undefined
  /** The `audience` parameter. It replaces the definition's. */
  audience?: string | undefined
  /** Further form parameters, merged over the definition's key by key. `undefined` removes one. */
  parameters?: Readonly<Record<string, string | undefined>> | undefined
  /** The client assertion of this request, or its supplier. It wins over the definition's, and is not part of the key. */
  clientAssertion?: ClientAssertion | undefined
  /**
   * Minimum remaining lifetime of the token, in milliseconds: for a job that must not lose its token half-way. Where no
   * token lives that long, one that has 80 % of its lifetime left is enough. Default 0.
   */
  minValidityMs?: number | undefined
  /** Requests a new token even if a good one is cached. Calls that do so at the same time share one request. Default false. */
  forceRenewal?: boolean | undefined
}

/** Options of `getAccessToken`. */
export interface GetAccessTokenOptions extends TokenParameters {
  /** Rejects this call with the signal's reason. A request that other callers wait for goes on. */
  signal?: AbortSignal | undefined
  /**
   * The token that an API rejected, after `rejectAccessToken`. The call waits for another one until its request has ended.
   * Other calls wait for one second, and then get the rejected token while it has not expired, because another API may accept
   * it. This call, too, gets it when no other one can be had.
   */
  insteadOf?: AccessToken | undefined
}
