import type { Clock } from '../../clock'

/** `Date` counts in whole seconds, and a response takes time: a smaller difference says nothing. */
const TOLERANCE_MS = 2_000
/** A server whose clock is further off than this is not believed. */
const LARGEST_OFFSET_MS = 86_400_000

/**
 * The time by which processes that share a store compare expiries: this machine's wall clock, corrected by what the
 * authorization server's responses say (RFC 9110 §6.6.1). A wall clock that is wrong by minutes would otherwise make expired
 * tokens look valid, or valid ones expired.
 */
export class SharedTime {
  readonly #clock: Clock
  #offsetMs = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Milliseconds since 1970. */
  now(): number {
    return this.#clock.now() + this.#offsetMs
  }

  /** A response of the authorization server carried this time, in milliseconds since 1970. */
  observe(serverTime: number): void {
    // Half a second is what `Date` cuts off on average.
    const offsetMs = serverTime + 500 - this.#clock.now()
    if (!(Math.abs(offsetMs) <= LARGEST_OFFSET_MS)) return
    this.#offsetMs = Math.abs(offsetMs) < TOLERANCE_MS ? 0 : Math.round(offsetMs)
  }
}
