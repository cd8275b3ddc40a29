import type { Clock } from '../../clock'

/** `Date` counts in whole seconds. */
const DATE_STEP_MS = 1_000
/** Clocks that differ by less count as equal. */
const TOLERANCE_MS = 1_500
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

  /**
   * A response of the authorization server carried this time, in milliseconds since 1970.
   *
   * @param roundTripMs how long ago the request was sent. The server wrote the time at any moment since then, so a response that
   *   took long says little: it changes nothing unless the clocks differ by more than that.
   */
  observe(serverTime: number, roundTripMs: number): void {
    const least = serverTime - this.#clock.now()
    const most = least + DATE_STEP_MS + roundTripMs
    const offsetMs = (least + most) / 2
    if (!(Math.abs(offsetMs) <= LARGEST_OFFSET_MS)) return
    const isPossible = (ms: number) => ms > least - TOLERANCE_MS && ms < most + TOLERANCE_MS
    if (isPossible(0)) this.#offsetMs = 0
    else if (!isPossible(this.#offsetMs)) this.#offsetMs = Math.round(offsetMs)
  }
}
