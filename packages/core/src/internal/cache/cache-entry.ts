import type { AccessToken } from '../../access-token'
import { TokenRequestError } from '../../errors'
import type { RetrievalReason } from '../../events'
import type { TokenWindow } from '../../token-cache'
import type { StoreLease } from '../../token-store'
import { type Lifetime, lifetime, mustRenew, mustRenewAt, type ValidityDemand } from './freshness'

/** A window that can be opened and ended. */
export interface EntryWindow extends TokenWindow {
  openUntil(closesAt: number, mustRenewAt: number): void
  end(): void
}

/** A token in this process, with its times. Immutable but for its window: a change replaces the entry in the local cache. */
export interface CacheEntry extends Lifetime {
  readonly token: AccessToken
  readonly source: 'endpoint' | 'store'
  /** `rejected`: an API responded 401 to it, and the next caller gets a new token. */
  readonly state: 'good' | 'rejected'
  /** What the API demands of the next token. A good entry has no such member. */
  readonly claims?: string | undefined
  /** From then on, the next use starts a look at the store, where the token may have been deleted. */
  readonly revalidateAt: number
  /** Whether the store has the token, or had it. */
  readonly isShared: boolean
  /** The lease under which the token could not be written to the store. Other processes may still wait for it. */
  readonly lease?: StoreLease | undefined
  /** A renewal ahead failed, and the next one starts no sooner. */
  readonly renewNotBefore: number
  /** The time in which callers use the token without a full check. Made at the first check. */
  window: EntryWindow | undefined
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
  const { expiresAt, renewAt } = lifetime({ issuedAt, lifetimeMs, random, latencyMs, refreshInMs })
  // One literal with all members: it needs half of the memory that a spread object does.
  return {
    token,
    source,
    lifetimeMs,
    // Whole numbers need no memory of their own.
    expiresAt: Math.floor(expiresAt),
    renewAt: Math.floor(renewAt),
    state: 'good',
    revalidateAt,
    isShared: true,
    lease: undefined,
    renewNotBefore: 0,
    window: undefined,
  }
}

/** A changed copy. It has no window, because what it says about the token is new. */
export function changedEntry(entry: CacheEntry, change: Partial<CacheEntry>): CacheEntry {
  return { ...entry, ...change, window: undefined }
}

/** Clocks of machines differ: so much, or a tenth of the lifetime, does not make a token older. */
const TOLERANCE_MS = 5_000

/** Whether a token from the store was issued before this one: the store has lost the newer one, in a failover. */
export function isOlder(other: CacheEntry, entry: CacheEntry): boolean {
  const toleranceMs = Math.min(TOLERANCE_MS, entry.lifetimeMs / 10)
  return other.expiresAt - other.lifetimeMs < entry.expiresAt - entry.lifetimeMs - toleranceMs
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

/** In the second stage of a token, too, not every use has to be a full check. */
const SHORTEST_WINDOW_MS = 1

/** Until when a usable token can be used without another check: as long as nothing is due for it. */
export function nextCheckAt(entry: CacheEntry, now: number, demand: ValidityDemand): number {
  const revalidateAt = Math.max(entry.revalidateAt, entry.renewNotBefore)
  const dueAt = now < entry.renewAt ? Math.min(entry.renewAt, revalidateAt) : entry.renewNotBefore
  return Math.min(Math.max(dueAt, now + SHORTEST_WINDOW_MS), mustRenewAt(entry, demand))
}

const SHORTEST_BACKOFF_MS = 500
const LONGEST_BACKOFF_MS = 30_000

/** How long no renewal ahead starts after one has failed: about a tenth of the remaining lifetime. */
export function renewalBackoffMs(entry: CacheEntry, error: unknown, now: number, random: number): number {
  const share = Math.min((entry.expiresAt - now) / 10, LONGEST_BACKOFF_MS)
  const retryAfterMs = error instanceof TokenRequestError ? (error.retryAfterMs ?? 0) : 0
  return Math.max(SHORTEST_BACKOFF_MS, share, retryAfterMs) * (1 + random / 4)
}
