import type { RejectionReason } from './api-rejection'
import type { TokenRequestError } from './errors'

/** The events of a token manager. None of them holds a token or a secret. */
export interface TokenEvents {
  /** A caller of `getAccessToken` got a token. Emitted for each call, so listen to it only to count. */
  tokenUsed: TokenUsed
  /** A token came from the token endpoint, or from the store, where another process had written it. */
  tokenRetrieved: TokenRetrieved
  /** A request to the token endpoint failed. Emitted for each attempt. */
  tokenRequestFailed: TokenRequestFailed
  /** A renewal was started in the background. Callers use the current token meanwhile. */
  renewalStarted: RenewalStarted
  /** A token is due for renewal, and none can be had. Calls use the current token until it expires. Emitted once per outage. */
  renewalFailed: RenewalFailed
  /** No token can be had, and no valid one is left: calls fail. Emitted once per outage, and when the reason changes. */
  tokenUnavailable: TokenUnavailable
  /** A token came after {@link TokenEvents.renewalFailed} or {@link TokenEvents.tokenUnavailable}. */
  tokenRecovered: TokenRecovered
  /** An API rejected a token (401). */
  tokenRejected: TokenRejected
  /** An API rejected two new tokens in a row: it, or the definition, is misconfigured. Emitted once until the API accepts one. */
  newTokenRejected: NewTokenRejected
  /** An API accepted a token after {@link TokenEvents.newTokenRejected}. */
  tokenAccepted: TokenAccepted
  /** An API demanded more of a token than it has, see `stepUp` of the adapters. */
  stepUpDemanded: StepUpDemanded
  /** A request was sent once more with the DPoP nonce that a server demanded. */
  nonceRetried: NonceRetried
  /** The token endpoint accepts another secret of the client than before: the secret was rotated. */
  secretRotated: SecretRotated
  /** A token endpoint fails. One request at a time tests it, and other calls that need it fail at once. */
  circuitOpened: CircuitOpened
  /** One request tests whether a token endpoint works again. */
  circuitHalfOpened: CircuitHalfOpened
  /** A token endpoint works again. */
  circuitClosed: CircuitClosed
  /** Another process renews the token, and this one waits for it. */
  leaseAwaited: LeaseAwaited
  /** The process that was to renew the token ended without one, and this process renews it. */
  leaseTakenOver: LeaseTakenOver
  /** The store threw, was too slow, or held something that is not a token. Calls went on without it. Emitted for each failure. */
  storeFailed: StoreFailed
  /** The store works again. */
  storeRecovered: StoreRecovered
  /** The callback of a `keepFresh` threw. It is called again with the next token. */
  callbackFailed: CallbackFailed
}

/**
 * Why a token was retrieved:
 *
 * - `first`: this process had none
 * - `ahead`: the current one is valid and due for renewal, or too short-lived for the call (`minValidityMs`)
 * - `expired`: the last one had expired
 * - `rejected`: an API rejected the last one
 * - `forced`: a caller demanded a new one (`forceRenewal`)
 * - `replaced`: another process replaced or deleted the last one in the store
 */
export type RetrievalReason = 'first' | 'ahead' | 'expired' | 'rejected' | 'forced' | 'replaced'

export interface TokenUsed {
  readonly client: string
  /** `memory`: this process had it, so the call did not wait for it. Otherwise where it came from. */
  readonly source: 'memory' | 'endpoint' | 'store'
  /** The remaining lifetime of the token, in milliseconds. */
  readonly remainingMs: number
}

export interface TokenRetrieved {
  readonly client: string
  readonly source: 'endpoint' | 'store'
  readonly reason: RetrievalReason
  /** How long it took, in milliseconds, with all waits and retries. */
  readonly durationMs: number
  /** When it expires, by the wall clock. An assumption when the server named no lifetime. */
  readonly expiresAt: Date
  /** Its whole lifetime, in milliseconds. An assumption when the server named none. */
  readonly lifetimeMs: number
}

export interface TokenRequestFailed {
  readonly client: string
  readonly error: TokenRequestError
  /** Why a token was requested. Undefined when a custom cache does not say it. */
  readonly reason: RetrievalReason | undefined
  /** The number of the attempt, from 1. */
  readonly attempt: number
  /** Whether the request is sent again for the same call. */
  readonly willRetry: boolean
}

export interface RenewalStarted {
  readonly client: string
}

export interface RenewalFailed {
  readonly client: string
  readonly error: TokenRequestError
  /** When the current token expires, by the wall clock. */
  readonly expiresAt: Date
  /** Whether no other token of the client fails in the same way at the moment. */
  readonly isFirst: boolean
}

export interface TokenUnavailable {
  readonly client: string
  readonly error: TokenRequestError
  /** Whether no other token of the client fails in the same way at the moment. */
  readonly isFirst: boolean
}

export interface TokenRecovered {
  readonly client: string
  /** How long no new token could be had, in milliseconds. */
  readonly failedForMs: number
  /** Whether no other token of the client fails any more. */
  readonly isLast: boolean
}

export interface TokenRejected {
  readonly client: string
  /** The origin of the API, if it is known. */
  readonly origin: string | undefined
  /** Whether a new token is requested now. False during the cooldown after earlier rejections. */
  readonly willRenew: boolean
  /** The error that the API named. Undefined: none, or an unknown one. */
  readonly reason: RejectionReason | undefined
  /** Whether this rejection is not the first one of the token: another call reported it, or the token stayed in use. */
  readonly isRepeated: boolean
}

export interface NewTokenRejected {
  readonly client: string
  /** The origin of the API, if it is known. */
  readonly origin: string | undefined
}

export interface TokenAccepted {
  readonly client: string
  readonly origin: string
}

export interface StepUpDemanded {
  readonly client: string
  readonly origin: string
  readonly reason: RejectionReason
  /** Whether `stepUp` of the adapter allows it, so that such a token is requested. Emitted once for several that it does not allow. */
  readonly isAllowed: boolean
}

export interface NonceRetried {
  readonly client: string
  readonly at: 'token_endpoint' | 'api'
}

export interface SecretRotated {
  readonly client: string
  /**
   * The position of the accepted secret in the array `clientSecret`, from 0; 0 for a single secret. More than 0: the endpoint does
   * not accept the first secret, and it is tried again every 5 minutes.
   */
  readonly index: number
}

export interface CircuitOpened {
  /** The client whose request failed. All clients of the endpoint are concerned. */
  readonly client: string
  /** The token endpoint, or the issuer that names it, without query. */
  readonly endpoint: string
  readonly error: TokenRequestError
  /** When the next request tests the endpoint, in milliseconds from now. */
  readonly retryAfterMs: number
  /** Whether the circuit had been open before: the request that tested the endpoint failed. */
  readonly wasOpen: boolean
}

export interface CircuitHalfOpened {
  /** The client whose request tests the endpoint. */
  readonly client: string
  readonly endpoint: string
}

export interface CircuitClosed {
  /** The client whose request succeeded. */
  readonly client: string
  readonly endpoint: string
  /** How long the endpoint failed, in milliseconds. */
  readonly failedForMs: number
}

export interface LeaseAwaited {
  readonly client: string
}

export interface LeaseTakenOver {
  readonly client: string
  /** How long this process waited for the other one, in milliseconds. */
  readonly waitedMs: number
}

export interface StoreFailed {
  readonly operation: 'get' | 'set' | 'delete' | 'lease' | 'release'
  /** What happened: `timeout`, `invalid_entry`, or the `code` (else the `name`) of the error that the store threw. */
  readonly reason: string
}

export interface StoreRecovered {
  /** How long the store failed, in milliseconds. */
  readonly failedForMs: number
}

export interface CallbackFailed {
  readonly client: string
  /** The `code` (else the `name`) of the error that the callback threw. */
  readonly reason: string
}

/** Ends a subscription. */
export type Unsubscribe = () => void

/**
 * Receives a manager's messages: `console`, or a logger of consola, winston or pino. Each message is a sentence that stands by itself.
 * `details` holds its event's name and fields as plain values. A pino logger is recognised and gets `(details, message)`.
 */
export interface Logger {
  debug(message: string, details: object): void
  info(message: string, details: object): void
  warn(message: string, details: object): void
  error(message: string, details: object): void
}
