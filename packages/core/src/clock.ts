/** Where tokenward gets the time and its pauses from; tests pass their own. */
export interface Clock {
  /** The wall clock, milliseconds since 1970. It may jump. */
  now(): number
  /** Milliseconds since some moment. It never goes back. */
  monotonic(): number
  /** Calls `callback` once, after `delayMs` milliseconds; the returned function calls that off. */
  setTimeout(callback: () => void, delayMs: number): () => void
}

/** The platform's own time. */
export const systemClock: Clock = Object.freeze({
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout(callback: () => void, delayMs: number) {
    const timer = setTimeout(callback, delayMs)
    return () => clearTimeout(timer)
  },
})
