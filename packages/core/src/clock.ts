/** The time that tokenward uses. Tests pass their own. */
export interface Clock {
  /** The wall clock, milliseconds since 1970. It may jump. */
  now(): number
  /** Milliseconds since some fixed moment. It never goes back. */
  monotonic(): number
  /** Calls `callback` once, after `delayMs` milliseconds. The returned function cancels that. */
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
