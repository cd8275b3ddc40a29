import type { RejectionReason } from '../../api-rejection'
import { type Challenge, readChallenges } from './www-authenticate'

const REASONS: Readonly<Record<RejectionReason, true>> = {
  invalid_request: true,
  invalid_token: true,
  insufficient_scope: true,
  invalid_dpop_proof: true,
  insufficient_claims: true,
  insufficient_user_authentication: true,
}

/** What the challenge of an API says about the token that it got. */
export interface ApiChallenge {
  readonly reason: RejectionReason | undefined
  /** A parameter of the challenge. */
  get(name: string): string | undefined
}

/** The challenge of a Bearer or DPoP scheme that names an error, or else the first one of them. */
export function readApiChallenge(field: string | null): ApiChallenge {
  const challenges = readChallenges(field).filter(({ scheme }) => scheme === 'bearer' || scheme === 'dpop')
  const chosen: Challenge | undefined =
    challenges.find(({ parameters }) => isReason(parameters.get('error'))) ?? challenges[0]
  const error = chosen?.parameters.get('error')
  return { reason: isReason(error) ? error : undefined, get: (name) => chosen?.parameters.get(name) }
}

function isReason(error: string | undefined): error is RejectionReason {
  return error !== undefined && Object.hasOwn(REASONS, error)
}
