import type { AccessToken } from '../access-token'
import { TokenRequestError } from '../errors'
import { type Lifetime, lifetime } from './freshness'

/** A token in this process. Immutable: what becomes of it is another copy in its place. */
export interface Copy extends Lifetime {
  readonly token: AccessToken
  readonly source: 'endpoint' | 'store'
  /** `rejected`: an API answered 401 to it, and the next caller gets another one. */
  readonly state: 'good' | 'rejected'
  /** A renewal ahead failed; the next one starts no sooner. */
  readonly renewalPausedUntil: number
}

/** A good copy of a token that has `remainingMs` of its lifetime before it. */
export function goodCopy(
  token: AccessToken,
  source: Copy['source'],
  times: { now: number; lifetimeMs: number; remainingMs: number },
  random: number,
): Copy {
  const { now, lifetimeMs, remainingMs } = times
  const issuedAt = now + remainingMs - lifetimeMs
  return { token, source, ...lifetime(issuedAt, lifetimeMs, random), state: 'good', renewalPausedUntil: 0 }
}

const RENEWAL_PAUSE_MS = 500
const LONGEST_RENEWAL_PAUSE_MS = 30_000

/** The copy after its renewal ahead has failed: a tenth of what is left of it passes before the next, more or less. */
export function withRenewalPaused(copy: Copy, error: unknown, now: number, random: number): Copy {
  const share = Math.min((copy.expiresAt - now) / 10, LONGEST_RENEWAL_PAUSE_MS)
  const askedFor = error instanceof TokenRequestError ? (error.retryAfterMs ?? 0) : 0
  const pauseMs = Math.max(RENEWAL_PAUSE_MS, share, askedFor) * (1 + random / 4)
  return { ...copy, renewalPausedUntil: now + pauseMs }
}
