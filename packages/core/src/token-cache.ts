import type { AccessToken } from './access-token'
import type { ApiRejection } from './api-rejection'
import type { TokenRequestError } from './errors'
import type { RetrievalReason } from './events'
import type { TokenStatus } from './token-status'

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
  /** Why the token is requested, for the events. */
  readonly reason?: RetrievalReason | undefined
  /** What an API demands of the token, see {@link ApiRejection.claims}. */
  readonly claims?: string | undefined
  /**
   * Called before each retry. The right to send requests may have ended meanwhile: then it is got again, or this rejects because
   * another process has got a token.
   */
  beforeRetry?(): Promise<void>
  /**
   * Called before a request that tests an endpoint that fails. The processes of a fleet take turns. Undefined: it is another
   * process's turn, and the request is not sent. The returned function is called with whether the endpoint works.
   */
  probeTurn?(): Promise<((succeeded: boolean) => void) | undefined>
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

/** Options of one look-up in a cache. */
export interface CacheGetOptions {
  /** The client's name. */
  readonly client: string
  /** Whether the client's tokens are DPoP tokens. A token of another type in a store is not used. */
  readonly isBound: boolean
  /** Whether a token from a store may have the type `N_A`. Default false. */
  readonly mayBeNA?: boolean | undefined
  /** What the client's tokens have in common in a store: an opaque text, like a key. */
  readonly group: string
  /** What all requests to the client's token endpoint have in common in a store: an opaque text, like a key. */
  readonly endpointKey: string
  readonly loader: TokenLoader
  /** The last stretch before expiry, in which callers wait for a renewal, in milliseconds. At most a tenth of the lifetime. */
  readonly expirationBufferMs: number
  /** How long one process of a fleet may take to renew before another one may, in milliseconds. */
  readonly leaseMs: number
  /** Minimum remaining lifetime, in milliseconds. At most 80 % of the lifetime counts. */
  readonly minValidityMs?: number | undefined
  /** Requests a new token even if a good one is cached. */
  readonly forceRenewal?: boolean | undefined
  /** The token is only kept fresh, and nobody uses it now: the look-up is not a `tokenUsed`. */
  readonly keepsFresh?: boolean | undefined
  /** The token that this caller cannot use: it waits for another one until the request has ended. */
  readonly insteadOf?: AccessToken | undefined
  /** Detaches this caller. A request that other callers wait for goes on. */
  readonly signal?: AbortSignal | undefined
}

/** A token that can be used at once. */
export interface ReadyToken {
  readonly token: AccessToken
  /** Fulfilled with `token`. All callers get this one promise. */
  readonly promise: Promise<AccessToken>
}

/**
 * A time in which a token can be used without a call of the cache, because nothing is due for it. The cache ends it as soon as
 * the token is replaced, rejected or deleted.
 *
 * @experimental
 */
export interface TokenWindow {
  /**
   * The token, if the window is open. Counts as a use of the token. Never throws.
   *
   * @param minValidityMs minimum remaining lifetime, as in {@link CacheGetOptions}
   */
  use(minValidityMs?: number | undefined): ReadyToken | undefined
  /**
   * As {@link use}, when no other token of the cache was used since the last use of this one: it is the most recently used one already.
   * A window without this method is used as always.
   */
  useAgain?(): ReadyToken | undefined
}

/** Options of {@link TokenCache.reject}. */
export interface RejectOptions extends ApiRejection {
  /** The API had accepted the token before, so it is not brand-new. Default false. */
  readonly wasAccepted?: boolean | undefined
  /** The origin of the API, if it is known. */
  readonly origin?: string | undefined
}

/**
 * Keeps tokens fresh: returns good ones, renews them ahead, and sends one request for all callers who want the same token.
 * Keys are opaque texts that identify a token completely.
 *
 * @experimental What concerns a fleet (`group`, `endpointKey`, `leaseMs`, the circuit of {@link TokenLoader}) may change in a
 * minor version.
 */
export interface TokenCache {
  /** A good token. @throws TokenRequestError when none can be had */
  get(key: string, options: CacheGetOptions): Promise<AccessToken>
  /**
   * Does what {@link get} does, without a wait, when this process holds a good token: undefined when it does not. A manager
   * keeps the window that it returns, and calls the cache again when the window has closed. A cache without this method is
   * called for every use of a token.
   *
   * @experimental
   */
  window?(key: string, options: CacheGetOptions): TokenWindow | undefined
  /**
   * An API rejected `token`.
   *
   * @returns whether `get` requests a new token now. False while rejections of brand-new tokens follow each other too closely;
   * the token stays in use then.
   */
  reject(key: string, token: AccessToken, options?: RejectOptions): boolean
  /** Deletes the token, here and in the store. */
  delete(key: string): Promise<void>
  /**
   * Deletes every token of a client that this cache holds, here and in the store; of all clients without a name. With a
   * `group`, also those that other processes wrote to the store, if the store has `deleteGroup`.
   */
  clear(client?: string, group?: string): Promise<void>
  /** The tokens of a client that this process holds and that have not expired. */
  held(client: string): readonly AccessToken[]
  /** What `status()` of the manager tells about the client's tokens. Without it, that tells about those that are {@link held}. */
  status?(client: string): readonly TokenStatus[]
  /** How long a look-up of the token would do nothing but return it, in milliseconds. Undefined: there is none. */
  idleMs?(key: string): number | undefined
  /** Forgets the tokens of a client in this process only. */
  forget(client: string): void
  /** Ends the requests under way and forgets all tokens. A closed cache returns no token. */
  close(): Promise<void>
}
