import type { Clock } from '@tokenward/core'

/** The machine's clock, which can be moved ahead. Then a token that lives for an hour reaches its renewal, or its end, at once. */
export class SkippableClock implements Clock {
  #aheadMs = 0

  skip(ms: number): void {
    this.#aheadMs += ms
  }

  now = () => Date.now() + this.#aheadMs
  monotonic = () => performance.now() + this.#aheadMs
  setTimeout = (callback: () => void, delayMs: number) => {
    const timer = setTimeout(callback, delayMs)
    return () => clearTimeout(timer)
  }

  /**
   * A fetch whose responses come from servers with this clock. The date of the real ones would tell the token manager that its
   * clock is wrong.
   */
  fetch: typeof fetch = async (...args) => {
    const response = await fetch(...args)
    const headers = new Headers(response.headers)
    headers.set('date', new Date(this.now()).toUTCString())
    return new Response(response.body, { status: response.status, headers })
  }
}
