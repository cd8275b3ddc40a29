/** The state of a manager, as plain values: `JSON.stringify` loses nothing of it. It holds no token and no secret. */
export interface ManagerStatus {
  readonly isClosed: boolean
  /** `none`: there is no store, or a custom cache has its own. */
  readonly store: 'none' | 'ok' | 'failing'
  /** By name: the clients that were defined, and those that `resolveClient` found. */
  readonly clients: Readonly<Record<string, ClientStatus>>
}

/** The state of one client. */
export interface ClientStatus {
  /**
   * The circuit breaker of the client's token endpoint. `open`: the endpoint fails. `halfOpen`: a request tests it. Absent while
   * the client's definition is not loaded.
   */
  readonly circuit?: 'closed' | 'open' | 'halfOpen'
  /**
   * Which secret of an array `clientSecret` token requests use: its position, from 0. More than 0: the token endpoint did not accept
   * the first one when it was last tried. Absent for a client with one secret.
   */
  readonly secretIndex?: number
  /** Each token that this process has, requests, or could not get. */
  readonly tokens: readonly TokenStatus[]
}

/** The state of one token. A custom cache without `status` only tells `state`, `scope` and `validUntil`. */
export interface TokenStatus {
  /** The key of the token in caches and stores: the same in every process. */
  readonly key?: string
  /**
   * `valid`: calls use it. `rejected`: an API rejected it, and the next call requests a new one. `expired`: calls wait for a new
   * one. `missing`: this process has none yet.
   */
  readonly state: 'valid' | 'rejected' | 'expired' | 'missing'
  /** The granted scope, if it is known. */
  readonly scope?: string
  readonly source?: 'endpoint' | 'store'
  /** When it expires or expired, by the wall clock (ISO 8601). An assumption when the server named no lifetime. */
  readonly validUntil?: string
  /** How long it has lived, in milliseconds. */
  readonly ageMs?: number
  /** Its whole lifetime, in milliseconds. */
  readonly lifetimeMs?: number
  /** Whether a new token is requested now. */
  readonly inFlight?: boolean
  /** Why no new token could be had the last time. Absent when that succeeded. */
  readonly lastError?: TokenStatusError
}

/** The last failure to get a token. See `TokenRequestError`. */
export interface TokenStatusError {
  readonly error: string
  readonly errorDescription?: string
  /** The HTTP status of the response. */
  readonly status?: number
  readonly retryable: boolean
  /** When it happened (ISO 8601). */
  readonly at: string
}
