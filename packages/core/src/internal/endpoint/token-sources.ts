import type { ClientConfiguration } from '../../client-configuration'
import type { Clock } from '../../clock'
import type { KeptCredentials } from '../../kept-credentials'
import type { TokenRequester } from '../../token-requester'
import type { Emit } from '../util/event-emitter'
import type { KeptScope } from '../util/kept-scope'
import { CircuitBreakers } from './circuit-breakers'
import { Cooldowns } from './cooldowns'
import { EndpointHealth } from './endpoint-health'
import { TokenSource } from './token-source'

export interface TokenSourcesOptions {
  readonly clock: Clock
  readonly random: () => number
  readonly emit: Emit
  /** Gets the time of a server that has issued a token, in milliseconds since 1970, and how long ago the request was sent. */
  readonly serverTime: (milliseconds: number, roundTripMs: number) => void
  /** Where requesters keep the credentials that each request uses up. */
  readonly kept: (scope: KeptScope) => KeptCredentials
}

/** Makes the token sources of a manager, and holds what they share: circuit breakers and cooldowns. */
export class TokenSources {
  readonly #options: TokenSourcesOptions
  readonly #breakers: CircuitBreakers
  readonly #cooldowns: Cooldowns
  #count = 0

  constructor(options: TokenSourcesOptions) {
    this.#options = options
    this.#breakers = new CircuitBreakers(options.clock)
    this.#cooldowns = new Cooldowns(options.clock)
  }

  /** @param transport the definition's own `fetch`, if it has one */
  create(client: ClientConfiguration, requester: TokenRequester, transport: typeof fetch | undefined): TokenSource {
    const breaker = this.#breakers.of(client.tokenEndpoint ?? client.issuer ?? '', transport)
    const id = String(++this.#count)
    const health = new EndpointHealth({ client, breaker, cooldowns: this.#cooldowns, id, emit: this.#options.emit })
    return new TokenSource({ ...this.#options, client, requester, health })
  }
}
