/**
 * What APIs may demand of a token. Whatever they demand in addition is not requested. The token that an API gets is meant for it alone:
 * list nothing here that the worker should not do at that API.
 */
export interface StepUpOptions {
  /**
   * The scopes that an API may demand by a 403 with `error="insufficient_scope"` (RFC 6750 §3.1). They are requested in addition to
   * those of the current token. Default: none.
   */
  scopes?: readonly string[] | undefined
  /**
   * The authentication context classes that an API may demand by a 401 with `error="insufficient_user_authentication"` (RFC 9470
   * §3), for grants that are about a user. Those that are listed go into the token request as `acr_values`. Default: none.
   */
  acrValues?: readonly string[] | undefined
  /** Whether such a 401 may demand how long ago the user signed in at most, which goes into the token request as `max_age`. Default false. */
  maxAge?: boolean | undefined
}
