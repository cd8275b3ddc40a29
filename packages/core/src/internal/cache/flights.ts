import { TokenRequestError } from '../../errors'
import { untilAborted } from '../util/abort'
import type { Copy } from './cache-entry'

/** One way to a new token, under way for all who want the same key. */
export interface Flight {
  readonly client: string
  readonly token: Promise<Copy>
  readonly controller: AbortController
  /** It asks for a token that is newer than any there was when it started. */
  readonly anew: boolean
  /** Its token is as new as can be. */
  isNew: boolean
  /** How many callers wait for it now. */
  waiting: number
  /** The token was deleted while this flight was under way: who waits gets its token, nobody after them does. */
  disowned: boolean
}

/** The flights under way, by key: one at a time for each. */
export class Flights {
  readonly #flights = new Map<string, Flight>()
  #closed = false

  get(key: string): Flight | undefined {
    return this.#flights.get(key)
  }

  has(key: string): boolean {
    return this.#flights.has(key)
  }

  /** Starts one; its failure is no unhandled rejection when nobody waits for it. */
  start(key: string, client: string, anew: boolean, fly: (flight: Flight) => Promise<Copy>): Flight {
    const run = async () => {
      // The flight has to be on the list before it does anything that could end it.
      await undefined
      try {
        return await fly(flight)
      } finally {
        this.#flights.delete(key)
      }
    }
    const controller = new AbortController()
    const flight: Flight = { client, token: run(), controller, anew, isNew: anew, waiting: 0, disowned: false }
    flight.token.catch(() => {})
    this.#flights.set(key, flight)
    return flight
  }

  /** Waits for the flight; an abort of the signal ends the waiting only. */
  async join(flight: Flight, signal: AbortSignal | undefined): Promise<Copy> {
    flight.waiting++
    try {
      return await untilAborted(flight.token, signal)
    } finally {
      flight.waiting--
    }
  }

  /** The keys of one client's flights; of all without a name. */
  keysOf(client: string | undefined): string[] {
    return [...this.#flights].filter(([, flight]) => (client ?? flight.client) === flight.client).map(([key]) => key)
  }

  /** @throws TokenRequestError `closed`, after {@link close}. */
  throwIfClosed(client: string): void {
    if (this.#closed) throw closedError(client)
  }

  /** Ends all of them, and resolves when they have ended. */
  async close(): Promise<void> {
    this.#closed = true
    const flights = [...this.#flights.values()]
    for (const { client, controller } of flights) controller.abort(closedError(client))
    await Promise.allSettled(flights.map(({ token }) => token))
  }
}

function closedError(client: string): TokenRequestError {
  const errorDescription = 'the token manager is closed'
  return new TokenRequestError({ client, error: 'closed', errorDescription, retryable: false })
}
