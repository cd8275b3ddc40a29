import type { Clock } from '@tokenward/core'

/** The machine's clock, which can be moved ahead. Then a token that lives for an hour reaches its renewal at once. */
export class SkippableClock implements Clock {
  #aheadMs: number

  constructor(aheadMs = 0) {
    this.#aheadMs = aheadMs
  }

  /** How far it is ahead of the machine's clock, in milliseconds. */
  get aheadMs(): number {
    return this.#aheadMs
  }

  skip(ms: number): void {
    this.#aheadMs += ms
  }

  now(): number {
    return Date.now() + this.#aheadMs
  }

  monotonic(): number {
    return performance.now() + this.#aheadMs
  }

  setTimeout(callback: () => void, delayMs: number): () => void {
    const timer = setTimeout(callback, delayMs)
    return () => clearTimeout(timer)
  }
}
