/** The name of the meter and of the tracer. */
export const SCOPE = '@tokenward/opentelemetry'

// OpenTelemetry has conventions for `error.type` and `server.address` only. The others are in a namespace of their own.
export const CLIENT = 'tokenward.client.name'
export const SOURCE = 'tokenward.token.source'
export const STATE = 'tokenward.token.state'
export const REMAINING = 'tokenward.token.remaining_lifetime'
export const REASON = 'tokenward.retrieval.reason'
export const OUTCOME = 'tokenward.request.outcome'
export const RENEWED = 'tokenward.rejection.renewed'
export const REJECTION_REASON = 'tokenward.rejection.reason'
export const ALLOWED = 'tokenward.step_up.allowed'
export const REQUESTED_BY = 'tokenward.nonce.requested_by'
export const OPERATION = 'tokenward.store.operation'
export const CIRCUIT = 'tokenward.circuit.state'
export const ERROR_TYPE = 'error.type'
export const SERVER_ADDRESS = 'server.address'

/** The errors of a token request that are always named. A server may send any other text as its error. */
export const KNOWN_ERRORS: readonly string[] = [
  'timeout',
  'network_error',
  'server_error',
  'invalid_response',
  'credential_unavailable',
  'closed',
  'invalid_client',
  'invalid_grant',
  'invalid_request',
  'invalid_scope',
  'invalid_target',
  'unauthorized_client',
  'unsupported_grant_type',
  'access_denied',
  'temporarily_unavailable',
  'invalid_dpop_proof',
  'use_dpop_nonce',
]
