/** An access token. However it is printed, its value is not shown. */
export interface AccessToken {
  /** The token itself, as it is sent in the `Authorization` header. */
  readonly value: string
  /**
   * How it is presented to an API: `Bearer` (RFC 6750) or `DPoP` (RFC 9449). Only token exchange can give `N_A`: a token that
   * is not for APIs, such as an assertion for another authorization server (RFC 8693 §2.2.1).
   */
  readonly type: 'Bearer' | 'DPoP' | 'N_A'
  /** When it expires by this machine's wall clock; undefined when the authorization server named no lifetime. */
  readonly expiresAt: Date | undefined
  /** The granted scope (RFC 6749 §5.1): what the server named, else what was requested. */
  readonly scope: string | undefined
  /** The name of the client it was issued to. */
  readonly client: string
}
