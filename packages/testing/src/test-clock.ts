import type { Clock } from '@tokenward/core'

interface Timer {
  /** In milliseconds of the monotonic clock. */
  readonly at: number
  readonly callback: () => void
}

/**
 * A clock that stands still until a test advances it. It moves the time of tokenward only: `Date`, `setTimeout` and the fake
 * timers of a test runner are not affected, and do not affect it.
 *
 * @example
 * const clock = new TestClock('2030-01-01T00:00:00Z')
 * const tokens = createTestTokens({ clients: { 'invoice.client': {} }, clock })
 * await clock.advance(3_600_000) // an hour later, the tokens of that time have expired
 */
export class TestClock implements Clock {
  #wall: number
  #monotonic = 0
  readonly #timers = new Set<Timer>()
  /** The last call of {@link advance}: the next one starts when it has ended. */
  #advanced: Promise<void> = Promise.resolve()

  /**
   * @param start the time at which the clock stands: a `Date`, milliseconds since 1970, or a text that `Date` can parse.
   * Default: the current time
   * @throws TypeError when it is no valid time
   */
  constructor(start: Date | number | string = Date.now()) {
    this.#wall = new Date(start).getTime()
    if (Number.isNaN(this.#wall)) throw new TypeError(`TestClock: start is not a valid time: ${String(start)}`)
  }

  /** The wall clock, milliseconds since 1970. */
  now(): number {
    return this.#wall
  }

  /** Milliseconds since the clock was made. */
  monotonic(): number {
    return this.#monotonic
  }

  /** Calls `callback` when the clock has been advanced by `delayMs` milliseconds. The returned function cancels that. */
  setTimeout(callback: () => void, delayMs: number): () => void {
    const timer = { at: this.#monotonic + Math.max(0, delayMs), callback }
    this.#timers.add(timer)
    // It is due already, so it must not wait until somebody advances the clock.
    if (timer.at === this.#monotonic) void Promise.resolve().then(() => this.#fire(timer))
    return () => void this.#timers.delete(timer)
  }

  /**
   * Moves the clock forward, and fires the timers that become due, in their order. Then it waits until tokenward has done what it
   * can do without more time, such as a renewal in the background. It does not wait for your own code.
   *
   * @param ms how far, in milliseconds. With 0 it only waits
   * @throws TypeError when it is not a finite number of at least 0
   */
  async advance(ms: number): Promise<void> {
    if (typeof ms !== 'number' || !Number.isFinite(ms) || ms < 0) {
      throw new TypeError(`TestClock.advance: expected a finite number of milliseconds, at least 0, not ${String(ms)}`)
    }
    const advanced = this.#advanced.then(() => this.#advance(ms))
    this.#advanced = advanced.catch(() => {})
    return advanced
  }

  async #advance(ms: number): Promise<void> {
    const end = this.#monotonic + ms
    await settle()
    for (let next = this.#nextUntil(end); next; next = this.#nextUntil(end)) {
      this.#moveTo(next.at)
      this.#fire(next)
      await settle()
    }
    this.#moveTo(end)
    await settle()
  }

  /** The first timer that is due at `end`. Of timers that are due at the same time, the oldest. */
  #nextUntil(end: number): Timer | undefined {
    let next: Timer | undefined
    for (const timer of this.#timers) {
      if (timer.at <= end && (!next || timer.at < next.at)) next = timer
    }
    return next
  }

  #moveTo(monotonic: number): void {
    const passedMs = Math.max(0, monotonic - this.#monotonic)
    this.#monotonic += passedMs
    this.#wall += passedMs
  }

  #fire(timer: Timer): void {
    if (this.#timers.delete(timer)) timer.callback()
  }
}

const TURNS = 3

/**
 * Waits until tokenward has done what needs no more time. Hashing counts: the platform does it in another thread. Without timers,
 * because the test runner may have replaced them.
 */
async function settle(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) {
    await crypto.subtle.digest('SHA-256', new Uint8Array(1_024))
    await nextTask()
  }
}

function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      // An open port keeps a process alive.
      port1.close()
      resolve()
    }
    port2.postMessage(undefined)
  })
}
