import type { TokenRequestError } from './errors'

/** The events of a token manager. None of them holds a token or a secret. */
export interface TokenEvents {
  /** A token came from the token endpoint, or from the store, where another process had written it. */
  tokenRetrieved: TokenRetrieved
  /** A request to the token endpoint failed. Emitted for each attempt. */
  tokenRequestFailed: TokenRequestFailed
  /** An API rejected a token (401). */
  tokenRejected: TokenRejected
  /** A request was sent once more with the DPoP nonce that a server demanded. */
  nonceRetried: NonceRetried
  /** A renewal was started in the background. Callers use the current token meanwhile. */
  renewalStarted: RenewalStarted
  /** The store threw, was too slow, or held something that is not a token. Calls went on without it. */
  storeFailed: StoreFailed
}

export interface TokenRetrieved {
  readonly client: string
  readonly source: 'endpoint' | 'store'
  /** How long it took, in milliseconds, with all waits and retries. */
  readonly durationMs: number
  /** When it expires, by the wall clock. An assumption when the server named no lifetime. */
  readonly expiresAt: Date
}

export interface TokenRequestFailed {
  readonly client: string
  readonly error: TokenRequestError
  /** The number of the attempt, from 1. */
  readonly attempt: number
  /** Whether the request is sent again for the same call. */
  readonly willRetry: boolean
}

export interface TokenRejected {
  readonly client: string
  /** Whether a new token is requested now. False during the cooldown after earlier rejections. */
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
  /** What happened: `timeout`, `invalid_entry`, or the `code` (else the `name`) of the error that the store threw. */
  readonly reason: string
}

/** Ends a subscription. */
export type Unsubscribe = () => void

/** Receives a manager's messages. `console` is one. */
export interface Logger {
  debug(message: string, details: object): void
  info(message: string, details: object): void
  warn(message: string, details: object): void
  error(message: string, details: object): void
}
