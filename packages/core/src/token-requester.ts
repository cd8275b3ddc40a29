import type { ClientAssertion } from './client-assertion'
import type { ClientConfiguration } from './client-configuration'
import type { KeptCredentials } from './kept-credentials'
import type { Awaitable } from './token-store'

/** What a token is requested with: this tells it from the other tokens of its client. */
export interface RequestedToken {
  /** Scopes, separated by spaces (RFC 6749 §3.3). */
  readonly scope: string | undefined
  /** Resource indicators (RFC 8707). */
  readonly resource: readonly string[]
  /** The `audience` parameter that some servers take. */
  readonly audience: string | undefined
  /** Every further form parameter. */
  readonly parameters: Readonly<Record<string, string>>
}

/** One request to the token endpoint: the definition's values, with the call's own in their place. */
export interface TokenRequest extends RequestedToken {
  /**
   * The further form parameters without what an API demands of the token: for whatever is not the token request itself, such as a
   * request to another server. Undefined: they are the same as `parameters`.
   */
  readonly callerParameters?: Readonly<Record<string, string>> | undefined
  /** The client assertion of this one request, when the call or the definition has one (RFC 7521 §4.2). */
  readonly clientAssertion: ClientAssertion | undefined
  /** Ends the request: its time is over, or the manager was closed. */
  readonly signal: AbortSignal
  /** The requester calls it when it sends the request once more with the DPoP nonce of the server (RFC 9449 §8). */
  nonceRetried(): void
  /**
   * The requester calls it when the endpoint accepts another secret of the client than before: it was rotated.
   *
   * @param index the position of the accepted secret in `clientSecret`, from 0. Default 0.
   */
  secretRotated?(index?: number): void
  /**
   * The requester calls it with the `Date` of a response (RFC 9110 §6.6.1), in milliseconds since 1970. A shared store is read
   * by the server's clock, because the clock of this machine may be wrong.
   */
  serverTime?(milliseconds: number): void
  /**
   * The requester calls it whenever it sends the token request itself: after discovery, and again when it sends the request once
   * more. The lifetime of the token is counted from the last call, or from the call of `request` when there was none.
   */
  sending?(): void
  /**
   * Keeps what each request uses up, such as a refresh token, until the next one. A token manager always has it; it is missing where
   * a requester is called by other code.
   */
  readonly kept?: KeptCredentials
}

/** A successful token response (RFC 6749 §5.1). */
export interface TokenResponse {
  readonly access_token: string
  /** `Bearer`, `DPoP` or `N_A`, in any case. */
  readonly token_type: string
  /** The token's lifetime in seconds. */
  readonly expires_in?: number | undefined
  /** What token exchange has issued (RFC 8693 §2.2.1). */
  readonly issued_token_type?: string | undefined
  /** After how many seconds the token should be renewed. Microsoft Entra sends it. */
  readonly refresh_in?: number | undefined
  readonly scope?: string | undefined
}

/**
 * How a token is requested: a client and the parameters of one request in, a token response out. The default is the client
 * credentials grant (RFC 6749 §4.4) by openid-client. Errors that openid-client throws are understood.
 *
 * One call is one request. Caching, retries and time limits are done elsewhere, but the request must end when the signal
 * aborts.
 */
export interface TokenRequester {
  /**
   * Whether the grant may issue tokens of the type `N_A`, which no API takes (RFC 8693 §2.2.1). Token exchange may. Default false: such
   * a token is refused in a response, and is not used from a store.
   */
  readonly mayIssueNA?: boolean | undefined
  request(client: ClientConfiguration, request: TokenRequest): Promise<TokenResponse>
  /**
   * What the grant is for, as far as the definition and the parameters do not say it: the grant type, and an identity of its
   * subject. It is part of the token's key, so it must not hold a secret. It is called once for each client and request, and
   * must depend on nothing else. Undefined: nothing.
   */
  identity?(client: ClientConfiguration, requested: RequestedToken): Awaitable<string | undefined>
  /**
   * Revokes a token (RFC 7009). Resolves to false when the server offers no revocation. `request` carries the client
   * assertion and the signal. A requester without this method cannot revoke.
   */
  revoke?(client: ClientConfiguration, token: string, request: TokenRequest): Promise<boolean>
}
