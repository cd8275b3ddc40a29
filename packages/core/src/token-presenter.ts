import type { AccessToken } from './access-token'
import type { ApiRejection } from './api-rejection'
import type { StepUpDemanded } from './events'
import type { GetAccessTokenOptions, TokenParameters } from './token-parameters'

/** A request that presents a token. */
export interface PresentedRequest {
  readonly method: string
  readonly url: URL
  /** Claims of its DPoP proof in addition to those of RFC 9449. */
  readonly proofClaims?: Readonly<Record<string, unknown>> | undefined
}

/** A DPoP nonce that an API sent (RFC 9449 §8.2). */
export interface ReceivedNonce {
  /** The URL whose response carried it. */
  readonly url: URL
  readonly nonce: string
  /** Whether the response was a nonce challenge, so that the request is sent once more. */
  readonly willRetry: boolean
}

/** An API demanded more of a token than it has. */
export type DemandedStepUp = Omit<StepUpDemanded, 'client'>

/** Work that a caller waits for, done by code that is not ours. */
export interface LimitedWork<T> {
  /** The client for which it is done: its `timeoutMs` is the limit. */
  readonly client: string
  /** What is done, as the error names it: `tokenParameters`. */
  readonly step: string
  readonly signal?: AbortSignal | undefined
  run(): T | Promise<T>
}

/**
 * What an HTTP adapter needs of a token manager in addition to `getAccessToken`. The request authorizer calls it; other code
 * rarely has to. Every `TokenManager` implements it.
 */
export interface TokenPresenter<Name extends string = string> {
  /**
   * What `getAccessToken` would resolve to, if it need not wait: this process holds a good token. Undefined in all other cases.
   * Never throws. An adapter that finds no such method, or no token, calls `getAccessToken`.
   *
   * @experimental
   */
  readyAccessToken?(client: Name, options?: GetAccessTokenOptions): AccessToken | undefined
  /**
   * Reports that an API responded 401 to `token`, which `getAccessToken` returned for the same options.
   *
   * @param origin the origin of the API, where it is known
   * @param rejection what the API said
   * @returns whether the next `getAccessToken` requests a new token. False while rejections of brand-new tokens follow each
   * other too closely (a cooldown of 1 s that doubles up to 30 s), and when the client was removed; the token stays then.
   */
  rejectAccessToken(
    client: Name,
    token: AccessToken,
    options?: TokenParameters,
    origin?: string,
    rejection?: ApiRejection,
  ): Promise<boolean>
  /**
   * Reports that the API at `origin` rejected the new token too, with which a rejected request was sent once more. No other token
   * is requested.
   */
  reportRejectedRetry(token: AccessToken, origin: string): void
  /** Reports that an API demanded more of a token than it has. */
  reportStepUp?(client: Name, demanded: DemandedStepUp): void
  /**
   * Reports that the API at `origin` accepted `token`. When the same API rejects it later, it is not brand-new, and its
   * rejection counts as the first one.
   */
  acceptAccessToken(token: AccessToken, origin: string): void
  /**
   * An API that rejected a token named the URL of its metadata (RFC 9728 §5.1). For a definition by `protectedResource`, the metadata is
   * read again, once in 30 s at most.
   *
   * @param url a URL of the API's own origin
   * @returns whether tokens come from another authorization server now. Never rejects.
   */
  followResourceMetadata?(client: Name, url: URL): Promise<boolean>
  /**
   * The headers that present `token` in a request to an API: `authorization`, and for a DPoP token a `dpop` proof of this
   * very request (RFC 9449 §7.1), which no other request can use.
   *
   * @throws ConfigurationError when the token cannot be presented: `N_A`, or a DPoP token of a client without a key
   */
  presentAccessToken(client: Name, token: AccessToken, request: PresentedRequest): Promise<Record<string, string>>
  /** Keeps a nonce for the next proofs to the origin of its URL. Does nothing when the client was removed. */
  rememberNonce(client: Name, received: ReceivedNonce): Promise<void>
  /**
   * Whether the client's definition has `allowInsecureRequests`. Undefined while that is not known: the definition is an
   * async function, or is found by `resolveClient`.
   */
  allowsInsecureRequests(client: Name): boolean | undefined
  /**
   * Waits for work of the caller's. It ends with the caller's signal, after the client's `timeoutMs`, and when the manager is
   * closed.
   *
   * @throws TokenRequestError `timeout` or `closed`, the signal's reason, or what `run` throws
   */
  waitFor<T>(work: LimitedWork<T>): Promise<T>
}
