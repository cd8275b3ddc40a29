import type { Clock } from '../../clock'
import { sha256 } from '../util/sha256'
import type { StoreAccess } from './store-access'

/** The fleet sends one probe in this time, in milliseconds. A probe that is still under way does not hold up the next one. */
const TURN_MS = 1_000
/** How long the other processes know that a probe succeeded: longer than their own interval between two probes. */
const SUCCESS_KNOWN_MS = 10_000
/** A turn ends by itself. A store that denies it for longer is broken, and must not keep this process from the endpoint. */
const LONGEST_DENIAL_MS = 300_000
const MOST_ENDPOINTS = 1_000

/** Ends a turn, with whether the endpoint worked. */
export type EndTurn = (succeeded: boolean) => void

/**
 * Lets the processes of a fleet probe an endpoint in turn: without turns, a large fleet would be too much for an endpoint that
 * comes back. What a probe failed with is not shared, because it may be the problem of one process. Its success is.
 */
export class ProbeTurns {
  readonly #store: StoreAccess
  readonly #clock: Clock
  readonly #deniedSince = new Map<string, number>()

  constructor(store: StoreAccess, clock: Clock) {
    this.#store = store
    this.#clock = clock
  }

  /** The right to probe; undefined when it is another process's turn. A store that fails, or has no leases, denies nothing. */
  async take(endpointKey: string): Promise<EndTurn | undefined> {
    if (!this.#store.canLease) return () => {}
    const key = await sha256(`probe ${endpointKey}`)
    const asked = await this.#store.getOrLeaseAlone(key, TURN_MS)
    const now = this.#clock.monotonic()
    if (asked && !asked.value) {
      // Endpoints of tenants that are gone must not collect.
      if (this.#deniedSince.size > MOST_ENDPOINTS) this.#deniedSince.clear()
      const since = this.#deniedSince.get(endpointKey) ?? now
      this.#deniedSince.set(endpointKey, since)
      if (now - since < LONGEST_DENIAL_MS) return undefined
    }
    this.#deniedSince.delete(endpointKey)
    const { lease, value } = asked?.value ?? {}
    return (succeeded) => {
      // A turn that failed is not released: the next one starts when its time is over.
      if (succeeded && lease) void this.#store.writeAlone(key, 'works', SUCCESS_KNOWN_MS, lease)
      if (!succeeded && value !== undefined) void this.#store.delete(key)
    }
  }
}
