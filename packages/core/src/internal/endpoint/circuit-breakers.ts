import type { Clock } from '../../clock'
import { LruMap, Recency } from '../util/lru-map'
import { CircuitBreaker } from './circuit-breaker'

/** The most endpoints whose circuit breakers are found again. A client keeps the one that it has. */
const MOST_ENDPOINTS = 1_000

/** The circuit breakers of a manager: one for each token endpoint and transport. */
export class CircuitBreakers {
  readonly #clock: Clock
  readonly #breakers = new LruMap<CircuitBreaker>(new Recency(MOST_ENDPOINTS))
  readonly #transports = new WeakMap<typeof fetch, number>()
  #transportCount = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * @param endpoint the token endpoint, or the issuer that names it
   * @param transport the definition's own `fetch`, if it has one: two proxies to one endpoint fail independently
   */
  of(endpoint: string, transport: typeof fetch | undefined): CircuitBreaker {
    const key = `${this.#numberOf(transport)} ${endpoint}`
    let breaker = this.#breakers.get(key)
    if (!breaker) {
      breaker = new CircuitBreaker(this.#clock)
      this.#breakers.set(key, breaker)
    }
    return breaker
  }

  #numberOf(transport: typeof fetch | undefined): number {
    // What is no function has been reported by the checks of the definition.
    if (typeof transport !== 'function') return 0
    const number = this.#transports.get(transport) ?? ++this.#transportCount
    this.#transports.set(transport, number)
    return number
  }
}
