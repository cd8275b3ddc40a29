import type { TokenRequestError } from './errors'

/** What a token manager tells of, by event name. Nothing of it holds a token or a secret. */
export interface TokenEvents {
  /** A token was had from the token endpoint, or another process's from the store. */
  tokenRetrieved: TokenRetrieved
  /** A request to the token endpoint failed. */
  tokenRequestFailed: TokenRequestFailed
  /** An API rejected a token (401). */
  tokenRejected: TokenRejected
  /** A request was made once more with the DPoP nonce that a server asked for. */
  nonceRetried: NonceRetried
  /** A renewal was started in the background, while callers go on with the token they have. */
  renewalStarted: RenewalStarted
  /** The store threw, was too slow, or held something that is no token; calls went on without it. */
  storeFailed: StoreFailed
}

export interface TokenRetrieved {
  readonly client: string
  readonly source: 'endpoint' | 'store'
  /** How long it took, milliseconds: waits and retries included. */
  readonly durationMs: number
  /** When it expires, by the wall clock; an assumption when the server did not say. */
  readonly expiresAt: Date
}

export interface TokenRequestFailed {
  readonly client: string
  readonly error: TokenRequestError
  /** Which try it was, from 1. */
  readonly attempt: number
  /** Whether the same call tries again. */
  readonly willRetry: boolean
}

export interface TokenRejected {
  readonly client: string
  /** Whether a new token takes its place now; false while renewals after rejections are paused. */
  readonly willRenew: boolean
}

export interface NonceRetried {
  readonly client: string
  readonly at: 'token_endpoint' | 'api'
}

export interface RenewalStarted {
  readonly client: string
}

export interface StoreFailed {
  readonly operation: 'get' | 'set' | 'delete' | 'lease' | 'release'
  /** What happened: `timeout`, `invalid_entry`, or the name of the error that was thrown. */
  readonly reason: string
}

/** Ends a subscription. */
export type Unsubscribe = () => void

/** Where a manager's messages go; `console` fits. */
export interface Logger {
  debug(message: string, details: object): void
  info(message: string, details: object): void
  warn(message: string, details: object): void
  error(message: string, details: object): void
}
