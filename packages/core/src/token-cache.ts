import type { AccessToken } from './access-token'
import type { TokenRequestError } from './errors'

/** A token as a loader hands it over. */
export interface LoadedToken {
  readonly token: AccessToken
  /** How long it lives, milliseconds, where the server said so; else what the client's definition assumes. */
  readonly lifetimeMs: number
  /** When its request went out, in milliseconds of the monotonic clock: its life cannot have begun before. */
  readonly requestedAt: number
}

/** What a cache tells the loader that it calls. */
export interface LoadContext {
  /** Ends the request: the cache was closed. */
  readonly signal: AbortSignal
  /** Whether somebody is waiting for it at this moment. What nobody waits for need not be tried again. */
  isAwaited(): boolean
}

/** Gets one token anew: the call of the token endpoint, with its retries and limits. */
export interface TokenLoader {
  /** @throws TokenRequestError when no token could be had. */
  load(context: LoadContext): Promise<LoadedToken>
  /** The error that callers get at once while the endpoint is known to fail; undefined while it is not. */
  outage(): TokenRequestError | undefined
  /** Another process of the fleet found the endpoint failing; it is left alone for the error's `retryAfterMs`. */
  learn(outage: TokenRequestError): void
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
