import { TokenwardError } from '@tokenward/core'

/**
 * Why a platform gave no token.
 *
 * - `not_available`: this is not the platform, or it is not set up for this workload
 * - `refused`: the platform refused
 * - `timeout`: no response within `timeoutMs`
 * - `network_error`: the connection failed
 * - `invalid_response`: what came is no token, or no response of this platform
 * - `expired`: what came is a token that has expired
 */
export type IdentityErrorReason =
  | 'not_available'
  | 'refused'
  | 'timeout'
  | 'network_error'
  | 'invalid_response'
  | 'expired'

/** The fields of an {@link IdentityError}. */
export interface IdentityErrorDetails {
  platform: string
  reason: IdentityErrorReason
  message: string
  status?: number | undefined
}

/**
 * A platform gave no token. It is the `cause` of the `TokenRequestError` of a call, and its message is part of the message of that
 * error. It contains no token and no secret: nothing that a platform responds is repeated, except an error code.
 */
export class IdentityError extends TokenwardError {
  readonly code = 'identity_unavailable'
  /** The platform, such as `GitHub Actions`. */
  readonly platform: string
  /** What went wrong. */
  readonly reason: IdentityErrorReason
  /** The HTTP status of the response, if there was one. */
  readonly status: number | undefined

  constructor({ platform, reason, message, status }: IdentityErrorDetails) {
    super(`${platform}: ${message}`)
    this.platform = platform
    this.reason = reason
    this.status = status
  }
}
