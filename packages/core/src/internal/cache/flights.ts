import type { Clock } from '../../clock'
import type { RetrievalReason } from '../../events'
import { untilAborted } from '../util/abort'
import { closedError } from '../util/closed-error'
import type { CacheEntry } from './cache-entry'
import { KeysByClient } from './keys-by-client'

/** How long a request goes on that nobody waits for any more: its token may still be of use, but it keeps the process alive. */
const ABANDONED_MS = 2_000

export interface FlightOptions {
  readonly client: string
  /** Requests a token that is newer than any at the time of its start. */
  readonly forced: boolean
  /** Renews a token that is still valid: it has its full time even when nobody waits. */
  readonly isRenewal: boolean
  readonly reason: RetrievalReason
}

/** The one request under way for a key (single flight). */
export interface Flight extends FlightOptions {
  readonly result: Promise<CacheEntry>
  readonly controller: AbortController
  readonly startedAt: number
  /** Its token comes from the endpoint, so no caller that joined can want a newer one. */
  isNew: boolean
  /** How many callers wait for it now. */
  waiting: number
  /** The token was deleted meanwhile: callers who wait get its result, but it is not kept. */
  invalidated: boolean
  /** Cancels the end of a flight that nobody waits for. */
  keepAlive: () => void
}

/** The flights under way: at most one for each key. */
export class Flights {
  readonly #clock: Clock
  readonly #flights = new Map<string, Flight>()
  readonly #keys = new KeysByClient()
  #closed = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get(key: string): Flight | undefined {
    return this.#flights.get(key)
  }

  has(key: string): boolean {
    return this.#flights.has(key)
  }

  /** Starts a flight. When it fails and nobody waits, its rejection is not unhandled. */
  start(key: string, options: FlightOptions, run: (flight: Flight) => Promise<CacheEntry>): Flight {
    const runAndRemove = async () => {
      // The flight has to be in the map before it does anything that could end it.
      await undefined
      try {
        return await run(flight)
      } finally {
        flight.keepAlive()
        this.#flights.delete(key)
        this.#keys.remove(options.client, key)
      }
    }
    const flight: Flight = {
      ...options,
      result: runAndRemove(),
      controller: new AbortController(),
      startedAt: this.#clock.monotonic(),
      isNew: options.forced,
      waiting: 0,
      invalidated: false,
      keepAlive() {},
    }
    flight.result.catch(() => {})
    this.#flights.set(key, flight)
    this.#keys.add(options.client, key)
    return flight
  }

  /**
   * Waits for the flight. An abort of the signal ends the waiting only.
   *
   * @param patienceMs how long to wait at most; undefined in the result: the flight goes on
   */
  async join(
    flight: Flight,
    signal: AbortSignal | undefined,
    patienceMs?: number | undefined,
  ): Promise<CacheEntry | undefined> {
    flight.keepAlive()
    flight.waiting++
    try {
      const result = patienceMs === undefined ? flight.result : this.#within(flight.result, patienceMs)
      return await untilAborted(result, signal)
    } finally {
      flight.waiting--
      if (signal?.aborted) this.#endIfAbandoned(flight)
    }
  }

  #within<T>(result: Promise<T>, patienceMs: number): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.setTimeout(() => resolve(undefined), patienceMs)
      result.then(resolve, reject).finally(cancel)
    })
  }

  #endIfAbandoned(flight: Flight): void {
    if (flight.waiting > 0 || flight.isRenewal) return
    const error = new DOMException('no caller waits for the token any more', 'AbortError')
    const cancel = this.#clock.setTimeout(() => flight.controller.abort(error), ABANDONED_MS)
    flight.keepAlive = () => {
      cancel()
      flight.keepAlive = () => {}
    }
  }

  /** The keys of one client's flights; of all clients without a name. */
  keysOf(client: string | undefined): string[] {
    return client === undefined ? [...this.#flights.keys()] : this.#keys.of(client)
  }

  get isClosed(): boolean {
    return this.#closed
  }

  /** @throws TokenRequestError `closed`, after {@link close}. */
  throwIfClosed(client: string): void {
    if (this.#closed) throw closedError(client)
  }

  /** Ends all flights, and resolves when they have ended. */
  async close(): Promise<void> {
    this.#closed = true
    const flights = [...this.#flights.values()]
    for (const { client, controller } of flights) controller.abort(closedError(client))
    await Promise.allSettled(flights.map(({ result }) => result))
  }
}
