const PAGE = 'https://github.com/tokenward/tokenward/blob/main/docs/why-no-token.md'

/** The errors that have a section of their own on that page. */
export const EXPLAINED_ERRORS: ReadonlySet<string> = new Set([
  'access_denied',
  'authorization_pending',
  'closed',
  'credential_unavailable',
  'expired_token',
  'invalid_authorization_details',
  'invalid_client',
  'invalid_dpop_proof',
  'invalid_grant',
  'invalid_request',
  'invalid_response',
  'invalid_scope',
  'invalid_target',
  'invalid_token',
  'network_error',
  'server_error',
  'slow_down',
  'temporarily_unavailable',
  'timeout',
  'unauthorized_client',
  'unexpected_error',
  'unsupported_grant_type',
  'unsupported_token_type',
  'use_dpop_nonce',
])

/** Where an `error` of `TokenRequestError` is explained. */
export function helpFor(error: string): string {
  return EXPLAINED_ERRORS.has(error) ? `${PAGE}#${error}` : PAGE
}
