import { type Clock, systemClock } from '../../clock'

/** Readings that follow each other closer than this are made in a loop, or by many callers at once. */
const CLOSE_MS = 0.05
/** So many close readings in a row have to be made before one of them counts for several uses. */
const CLOSE_READINGS = 8
/** How often one reading is used at most. */
const MOST_USES = 32

/** As it is before anyone replaces it by a timer of a test. Only on platforms that have it. */
const { setImmediate, navigator } = globalThis as {
  setImmediate?: (callback: () => void) => unknown
  navigator?: { readonly userAgent?: string }
}
/** Cloudflare Workers drop the callbacks of a request that has ended. */
const canTellTurns = typeof setImmediate === 'function' && navigator?.userAgent !== 'Cloudflare-Workers'

/**
 * The time, for code that is called often. To read the clocks takes longer than all the rest of such a call. So while readings are
 * close together, one counts for a few more uses, but never after the turn of the event loop in which it was made.
 *
 * Such a reading is late by what the turn has taken since, and there is no limit to that: code may block the turn, and the machine
 * may be suspended and resumed within it. So whoever asks says from which time on it must be exact. Before that time, a use can be
 * wrong only when the turn takes longer than what is left until then, and only {@link MOST_USES} times.
 */
export class TurnTime {
  readonly #monotonic: () => number
  readonly #isReused: boolean
  #now = Number.NEGATIVE_INFINITY
  #closeReadings = 0
  #usesLeft = 0
  #isTurnWatched = false

  /**
   * @param clock read each time, unless it is the system's: one that is moved by a test moves within a turn
   * @param monotonic the reading of the clock
   */
  constructor(clock: Clock, monotonic: () => number) {
    this.#monotonic = monotonic
    this.#isReused = clock === systemClock && canTellTurns
  }

  /** The time: a reading of this turn while that is before `exactFrom`, else a new one. */
  recent(exactFrom: number): number {
    if (this.#usesLeft === 0 || this.#now >= exactFrom) return this.#read()
    this.#usesLeft--
    return this.#now
  }

  #read(): number {
    const before = this.#now
    this.#now = this.#monotonic()
    if (!this.#isReused) return this.#now
    this.#closeReadings = this.#now - before < CLOSE_MS ? this.#closeReadings + 1 : 0
    if (this.#closeReadings >= CLOSE_READINGS) {
      this.#usesLeft = MOST_USES
      if (!this.#isTurnWatched) setImmediate?.(this.#endTurn)
      this.#isTurnWatched = true
    } else this.#usesLeft = 0
    return this.#now
  }

  readonly #endTurn = () => {
    this.#isTurnWatched = false
    this.#closeReadings = 0
    this.#usesLeft = 0
  }
}
