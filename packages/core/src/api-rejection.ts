/**
 * The error that an API names in `WWW-Authenticate` (RFC 6750 §3.1, RFC 9449 §7.1, RFC 9470 §3, claims challenges of Microsoft Entra).
 * Any other text is not repeated, because it could be anything, a token included.
 */
export type RejectionReason =
  | 'invalid_request'
  | 'invalid_token'
  | 'insufficient_scope'
  | 'invalid_dpop_proof'
  | 'insufficient_claims'
  | 'insufficient_user_authentication'

/** What an API said when it rejected a token. */
export interface ApiRejection {
  /** Undefined: it named no error, or an unknown one. */
  readonly reason?: RejectionReason | undefined
  /**
   * What it demands of the next token: the `claims` parameter of one token request (OpenID Connect Core §5.5), as JSON. They are sent
   * in addition to those of the definition. If that request fails, they are forgotten.
   */
  readonly claims?: string | undefined
}
