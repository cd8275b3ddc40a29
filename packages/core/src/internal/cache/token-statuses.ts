import type { Clock } from '../../clock'
import type { TokenStatus, TokenStatusError } from '../../token-status'
import type { CacheEntry } from './cache-entry'
import type { FailingTokens, TokenFailure } from './failing-tokens'
import type { Flights } from './flights'
import type { LocalCache } from './local-cache'

/** What a cache knows about its tokens. */
export interface CacheState {
  readonly clock: Clock
  readonly local: LocalCache
  readonly flights: Flights
  readonly failing: FailingTokens
}

/** The status of each token that a client has, requests, or could not get. */
export function tokenStatuses(client: string, { clock, local, flights, failing }: CacheState): readonly TokenStatus[] {
  const entries = new Map(local.of(client))
  const keys = new Set([...entries.keys(), ...flights.keysOf(client), ...failing.keysOf(client)])
  return [...keys].map((key) => {
    const entry = entries.get(key)
    const failure = failing.get(key)
    return {
      key,
      ...(entry ? entryStatus(entry, clock) : { state: 'missing' as const }),
      inFlight: flights.has(key),
      ...(failure && { lastError: failureStatus(failure) }),
    }
  })
}

function entryStatus({ token, source, state, expiresAt, lifetimeMs }: CacheEntry, clock: Clock): TokenStatus {
  const now = clock.monotonic()
  const validUntil = token.expiresAt ?? new Date(clock.now() + expiresAt - now)
  return {
    state: now >= expiresAt ? 'expired' : state === 'rejected' ? 'rejected' : 'valid',
    ...(token.scope !== undefined && { scope: token.scope }),
    source,
    validUntil: validUntil.toISOString(),
    ageMs: Math.round(now - (expiresAt - lifetimeMs)),
    lifetimeMs,
  }
}

function failureStatus({ error, at }: TokenFailure): TokenStatusError {
  const { error: reason, errorDescription, status, retryable } = error
  return {
    error: reason,
    ...(errorDescription !== undefined && { errorDescription }),
    ...(status !== undefined && { status }),
    retryable,
    at: new Date(at).toISOString(),
  }
}
