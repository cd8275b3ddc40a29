import type { AccessToken } from '../../access-token'
import { TokenRequestError } from '../../errors'
import type { RetrievalReason } from '../../events'
import type { StoreLease } from '../../token-store'
import { type Lifetime, lifetime, mustRenew, type ValidityDemand } from './freshness'

/** A token in this process, with its times. Immutable: a change replaces the entry in the local cache. */
export interface CacheEntry extends Lifetime {
  readonly token: AccessToken
  readonly source: 'endpoint' | 'store'
  /** `rejected`: an API responded 401 to it, and the next caller gets a new token. */
  readonly state: 'good' | 'rejected'
  /** From then on, the next use starts a look at the store, where the token may have been deleted. */
  readonly revalidateAt: number
  /** Whether the store has the token, or had it. */
  readonly isShared: boolean
  /** The lease under which the token could not be written to the store. Other processes may still wait for it. */
  readonly lease?: StoreLease | undefined
  /** A renewal ahead failed, and the next one starts no sooner. */
  readonly renewNotBefore: number
}

export interface EntryTimes {
  readonly now: number
  readonly lifetimeMs: number
  readonly remainingMs: number
  readonly revalidateAt: number
  /** How long after its issue the server wants the token renewed. */
  readonly refreshInMs?: number | undefined
}

/** The entry of a good token that has `remainingMs` of its lifetime left. */
export function goodEntry(
  token: AccessToken,
  source: CacheEntry['source'],
  times: EntryTimes,
  random: number,
): CacheEntry {
  const { now, lifetimeMs, remainingMs, revalidateAt, refreshInMs } = times
  const issuedAt = now + remainingMs - lifetimeMs
  const latencyMs = source === 'endpoint' ? now - issuedAt : 0
  return {
    token,
    source,
    ...lifetime({ issuedAt, lifetimeMs, random, latencyMs, refreshInMs }),
    state: 'good',
    revalidateAt,
    isShared: true,
    renewNotBefore: 0,
  }
}

/** Whether callers use the token, without waiting for a new one. */
export function isUsable(entry: CacheEntry, now: number, demand: ValidityDemand): boolean {
  return entry.state === 'good' && !mustRenew(entry, now, demand)
}

/** Why a new token is retrieved in place of `entry`. */
export function retrievalReason(entry: CacheEntry | undefined, now: number): RetrievalReason {
  if (!entry) return 'first'
  if (entry.state === 'rejected') return 'rejected'
  return now < entry.expiresAt ? 'ahead' : 'expired'
}

/** The remaining lifetime of the entry's token, in milliseconds. */
export function remaining(entry: CacheEntry, now: number): number {
  return Math.max(0, entry.expiresAt - now)
}

const SHORTEST_BACKOFF_MS = 500
const LONGEST_BACKOFF_MS = 30_000

/** How long no renewal ahead starts after one has failed: about a tenth of the remaining lifetime. */
export function renewalBackoffMs(entry: CacheEntry, error: unknown, now: number, random: number): number {
  const share = Math.min((entry.expiresAt - now) / 10, LONGEST_BACKOFF_MS)
  const retryAfterMs = error instanceof TokenRequestError ? (error.retryAfterMs ?? 0) : 0
  return Math.max(SHORTEST_BACKOFF_MS, share, retryAfterMs) * (1 + random / 4)
}
