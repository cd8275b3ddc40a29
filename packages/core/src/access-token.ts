/** An access token. Printing it, in whatever way, shows everything but its value. */
export interface AccessToken {
  /** The token itself: what goes into the `Authorization` header. */
  readonly value: string
  /** How it is presented to an API: RFC 6750 or RFC 9449. */
  readonly type: 'Bearer' | 'DPoP'
  /** When it expires by this machine's wall clock; undefined when the authorization server did not say. */
  readonly expiresAt: Date | undefined
  /** The granted scope (RFC 6749 §5.1): what the server named, else what was asked for. */
  readonly scope: string | undefined
  /** The name of the client it was issued to. */
  readonly client: string
}
