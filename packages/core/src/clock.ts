/** The time that tokenward uses. Tests pass their own. */
export interface Clock {
  /** The wall clock, milliseconds since 1970. It may jump. */
  now(): number
  /** Milliseconds since some fixed moment. It never goes back. */
  monotonic(): number
  /** Calls `callback` once, after `delayMs` milliseconds. The returned function cancels that. */
  setTimeout(callback: () => void, delayMs: number, options?: TimerOptions): () => void
}

/** Options of a timer. A clock that has no use for them ignores them. */
export interface TimerOptions {
  /** The timer does not keep the process alive, where the platform can do that. Default false. */
  readonly unref?: boolean | undefined
}

/** The platform's own time. */
export const systemClock: Clock = Object.freeze({
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout(callback: () => void, delayMs: number, { unref = false }: TimerOptions = {}) {
    const timer = setTimeout(callback, delayMs)
    // Outside of Node, a timer may be a number.
    if (unref) timer.unref?.()
    return () => clearTimeout(timer)
  },
})
