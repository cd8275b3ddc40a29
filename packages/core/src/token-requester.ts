import type { ClientAssertion } from './client-assertion'
import type { ClientConfiguration } from './client-configuration'

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
  /** The client assertion of this one request, when the call or the definition has one (RFC 7521 §4.2). */
  readonly clientAssertion: ClientAssertion | undefined
  /** Ends the request: its time is over, or the manager was closed. */
  readonly signal: AbortSignal
  /** Tells that the request is made once more with the DPoP nonce that the server asked for (RFC 9449 §8). */
  nonceRetried(): void
}

/** A successful token response, as in RFC 6749 §5.1. */
export interface TokenResponse {
  readonly access_token: string
  /** `Bearer` or `DPoP`, in any case. */
  readonly token_type: string
  /** The token's lifetime in seconds. */
  readonly expires_in?: number | undefined
  readonly scope?: string | undefined
}

/**
 * How a token is asked for: a client and the parameters of one request in, a token response out. The default is the
 * client credentials grant (RFC 6749 §4.4) by openid-client; errors that openid-client throws are understood.
 *
 * One call is one request: caching, retries and time limits are not its business, but it must end when the signal does.
 */
export interface TokenRequester {
  request(client: ClientConfiguration, request: TokenRequest): Promise<TokenResponse>
  /**
   * Revokes a token (RFC 7009). Resolves to false when the server offers no revocation. `request` carries the client
   * assertion and the signal. A requester without this method cannot revoke.
   */
  revoke?(client: ClientConfiguration, token: string, request: TokenRequest): Promise<boolean>
}
