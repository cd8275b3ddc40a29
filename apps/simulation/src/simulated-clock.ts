import type { Clock } from '@tokenward/core'
import type { Scheduler } from './scheduler'
import { EPOCH_MS } from './world'

/** The clocks of one machine: they drift, jump, and stand still while it is suspended. */
export class MachineClock {
  readonly #scheduler: Scheduler
  #readAt: number
  #monotonic = 1_000
  #rate = 1
  #wallErrorMs = 0
  #isSuspended = false

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler
    this.#readAt = scheduler.now
  }

  wallNow(): number {
    this.#read()
    return EPOCH_MS + this.#scheduler.now + this.#wallErrorMs
  }

  monotonic(): number {
    this.#read()
    return this.#monotonic
  }

  /** How long, in real time, until the monotonic clock has gone on by `ms`. */
  realTime(ms: number): number {
    return ms / this.#rate
  }

  drift(ppm: number): void {
    this.#read()
    this.#rate = 1 + ppm / 1e6
  }

  slowDown(rate: number): void {
    this.#read()
    this.#rate = rate
  }

  jump(byMs: number): void {
    this.#wallErrorMs += byMs
  }

  suspend(): void {
    this.#read()
    this.#isSuspended = true
  }

  resume(): void {
    this.#read()
    this.#isSuspended = false
  }

  #read(): void {
    const passed = this.#scheduler.now - this.#readAt
    if (passed === 0) return
    this.#readAt = this.#scheduler.now
    this.#wallErrorMs += passed * (this.#rate - 1)
    if (!this.#isSuspended) this.#monotonic += passed * this.#rate
  }
}

/** A machine's clock, as a token manager takes it. `setTimer` runs a callback in the process that the manager belongs to. */
export function processClock(
  machine: MachineClock,
  setTimer: (delayMs: number, callback: () => void) => () => void,
): Clock {
  return {
    now: () => machine.wallNow(),
    monotonic: () => machine.monotonic(),
    setTimeout(callback, delayMs) {
      const due = machine.monotonic() + delayMs
      let cancel = () => {}
      const start = (ms: number) => {
        cancel = setTimer(machine.realTime(ms), () => {
          // Less than a nanosecond is rounding. The machine may have been suspended meanwhile.
          const leftMs = due - machine.monotonic()
          if (leftMs > 1e-6) start(leftMs)
          else callback()
        })
      }
      start(delayMs)
      return () => cancel()
    },
  }
}
