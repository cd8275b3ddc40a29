import type { AccessToken } from '../../access-token'
import { TokenRequestError } from '../../errors'
import type { StoreLease } from '../../token-store'
import { type Lifetime, lifetime } from './freshness'

/** A token in this process. Immutable: what becomes of it is another copy in its place. */
export interface Copy extends Lifetime {
  readonly token: AccessToken
  readonly source: 'endpoint' | 'store'
  /** `rejected`: an API answered 401 to it, and the next caller gets another one. */
  readonly state: 'good' | 'rejected'
  /** From here on the next use starts a look at the store, where the token may be no more. */
  readonly checkAt: number
  /** The store has it, or had it. */
  readonly isShared: boolean
  /** Under which the store could not be given the token. It may stand there still, and keep others waiting. */
  readonly lease?: StoreLease | undefined
  /** A renewal ahead failed; the next one starts no sooner. */
  readonly pausedUntil: number
}

/** A good copy of a token that has `remainingMs` of its lifetime before it. */
export function goodCopy(
  token: AccessToken,
  source: Copy['source'],
  times: { now: number; lifetimeMs: number; remainingMs: number; checkAt: number },
  random: number,
): Copy {
  const { now, lifetimeMs, remainingMs, checkAt } = times
  const issuedAt = now + remainingMs - lifetimeMs
  const latencyMs = source === 'endpoint' ? now - issuedAt : 0
  return {
    token,
    source,
    ...lifetime(issuedAt, lifetimeMs, random, latencyMs),
    state: 'good',
    checkAt,
    isShared: true,
    pausedUntil: 0,
  }
}

const RENEWAL_PAUSE_MS = 500
const LONGEST_RENEWAL_PAUSE_MS = 30_000

/** How long no renewal ahead starts after one has failed: a tenth of what is left of the copy, more or less. */
export function renewalPauseMs(copy: Copy, error: unknown, now: number, random: number): number {
  const share = Math.min((copy.expiresAt - now) / 10, LONGEST_RENEWAL_PAUSE_MS)
  const askedFor = error instanceof TokenRequestError ? (error.retryAfterMs ?? 0) : 0
  return Math.max(RENEWAL_PAUSE_MS, share, askedFor) * (1 + random / 4)
}
