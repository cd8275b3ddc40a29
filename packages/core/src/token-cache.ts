import type { AccessToken } from './access-token'
import type { TokenRequestError } from './errors'

/** A token that was loaded from the token endpoint. */
export interface LoadedToken {
  readonly token: AccessToken
  /** Its lifetime in milliseconds: what the server named, or the `defaultLifetimeMs` of the client. */
  readonly lifetimeMs: number
  /** How long after its issue it should be renewed, in milliseconds (`refresh_in`), where the server says so. */
  readonly refreshInMs?: number | undefined
  /** When its request was sent, in milliseconds of the monotonic clock: its lifetime cannot have begun before. */
  readonly requestedAt: number
}

/** What a cache tells the loader that it calls. */
export interface LoadContext {
  /** Ends the request, because the cache was closed or nobody waits any more. */
  readonly signal: AbortSignal
  /** Whether a caller waits for the token at this moment. A request that nobody waits for is not retried. */
  isAwaited(): boolean
}

/** Loads one token from the token endpoint, with retries, time limits and the circuit breaker. */
export interface TokenLoader {
  /** @throws TokenRequestError when no token can be had. */
  load(context: LoadContext): Promise<LoadedToken>
  /**
   * The error that callers get at once while no request may be sent: the circuit of the endpoint is open, or the last request
   * failed in a way that will repeat. Undefined when a request may be sent.
   */
  circuitError(): TokenRequestError | undefined
  /** Opens the circuit for the error's `retryAfterMs`: another process of the fleet found that the endpoint fails. */
  openCircuit(error: TokenRequestError): void
}

/** What a caller of the cache wants. */
export interface CacheGetOptions {
  /** The client's name. */
  readonly client: string
  /** What the client's tokens have in common in a store: an opaque text, like a key. */
  readonly group: string
  readonly loader: TokenLoader
  /** How long before its expiry a token is no longer handed out, milliseconds; at most a tenth of its lifetime. */
  readonly expirationBufferMs: number
  /** How long one process of a fleet may take to renew before another one may, milliseconds. */
  readonly leaseMs: number
  /** How long the token has to live yet, milliseconds; at most 80 % of its lifetime. */
  readonly minValidityMs?: number | undefined
  /** A new token, though a good one is there. */
  readonly forceRenewal?: boolean | undefined
  /** Detaches this caller; what others wait for goes on. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Keeps tokens fresh: hands out good ones, renews them ahead, and lets one request go out for all who want the same.
 * Keys are opaque texts that identify a token completely.
 */
export interface TokenCache {
  /** A good token. @throws TokenRequestError when none can be had. */
  get(key: string, wanted: CacheGetOptions): Promise<AccessToken>
  /**
   * An API rejected `token`: it is not handed out again. Says whether `get` gives another one now; false while
   * rejections of brand-new tokens follow each other too closely, in which case the token stays.
   */
  reject(key: string, token: AccessToken): boolean
  /** Forgets the token, here and in the store. */
  delete(key: string): Promise<void>
  /**
   * Forgets every token of a client that this cache holds, here and in the store; of all clients without a name. With
   * its `group`, those that other processes put into the store as well, where the store can tell.
   */
  clear(client?: string, group?: string): Promise<void>
  /** The tokens of a client that this process holds, and that have not expired. */
  held(client: string): readonly AccessToken[]
  /** Forgets the tokens of a client in this process only. */
  forget(client: string): void
  /** Ends what is in flight and forgets what is kept in the process. A closed cache gives no token. */
  close(): Promise<void>
}
