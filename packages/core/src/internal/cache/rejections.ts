import type { AccessToken } from '../../access-token'
import type { Clock } from '../../clock'
import type { RejectOptions } from '../../token-cache'
import { changedEntry } from './cache-entry'
import type { Flights } from './flights'
import type { LocalCache } from './local-cache'
import { RejectionLimit } from './rejection-limit'

export interface RejectionsOptions {
  readonly clock: Clock
  readonly maxEntries: number
  readonly local: LocalCache
  readonly flights: Flights
}

/** What came of a rejection. */
export interface Rejection {
  /** Whether a new token is requested now. */
  readonly willRenew: boolean
  /** It is not the first rejection of the token. */
  readonly isRepeated: boolean
}

/** Marks tokens that APIs rejected, so that the next caller gets a new one. */
export class Rejections {
  readonly #local: LocalCache
  readonly #flights: Flights
  readonly #limit: RejectionLimit

  constructor({ clock, maxEntries, local, flights }: RejectionsOptions) {
    this.#local = local
    this.#flights = flights
    this.#limit = new RejectionLimit(maxEntries, () => clock.monotonic())
  }

  reject(key: string, token: AccessToken, { wasAccepted = false, claims }: RejectOptions): Rejection {
    const entry = this.#local.get(key)
    if (entry && (entry.token.value !== token.value || entry.state === 'rejected')) {
      return { willRenew: true, isRepeated: true }
    }
    if (!this.#limit.tryRenew(key, wasAccepted)) return { willRenew: this.#flights.has(key), isRepeated: true }
    // Remembered also when the entry is gone: the store may still hold the same token. Nobody knows how long it is valid.
    const rejected = entry ?? this.#local.create(token, 'store', { lifetimeMs: 0, remainingMs: 0 })
    const demanded = claims === undefined ? {} : { claims }
    this.#local.keep(key, changedEntry(rejected, { state: 'rejected', ...demanded }))
    const flight = this.#flights.get(key)
    // It began without the claims, so its token is not the one that the API demands.
    if (flight && claims !== undefined) flight.invalidated = true
    return { willRenew: true, isRepeated: false }
  }
}
