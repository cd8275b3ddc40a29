import type { ClientConfiguration } from '../../client-configuration'
import { TokenRequestError } from '../../errors'
import type { CircuitBreaker, FailedRequest, Permit } from './circuit-breaker'
import type { Cooldowns } from './cooldowns'
import { kindOf } from './failure-kinds'

export interface EndpointHealthOptions {
  readonly client: ClientConfiguration
  /** Shared by all clients of the token endpoint. */
  readonly breaker: CircuitBreaker
  /** Shared by all clients of the manager. */
  readonly cooldowns: Cooldowns
  /** The client's own among the cooldowns, even if another client had its name before. */
  readonly id: string
}

/** What one client knows about failures at its token endpoint: decides which requests may be sent, by what came of the others. */
export class EndpointHealth {
  readonly breaker: CircuitBreaker
  readonly #client: ClientConfiguration
  readonly #cooldowns: Cooldowns
  readonly #id: string

  constructor({ client, breaker, cooldowns, id }: EndpointHealthOptions) {
    this.breaker = breaker
    this.#client = client
    this.#cooldowns = cooldowns
    this.#id = id
  }

  /** The error for a call that may not send a request for this token now. */
  errorFor(key: string): TokenRequestError | undefined {
    return (
      this.#cooldowns.errorFor(this.#id) ??
      this.#cooldowns.errorFor(this.#tokenKey(key)) ??
      this.breaker.errorFor(this.#client.name)
    )
  }

  /** Runs `load`. After a cooldown of the client, its other calls get the remembered error until `load` ends. */
  async during<T>(load: () => Promise<T>): Promise<T> {
    this.#cooldowns.beginTrial(this.#id)
    try {
      return await load()
    } finally {
      this.#cooldowns.endTrial(this.#id)
    }
  }

  /** A token was issued. */
  noteSuccess(key: string, lifetimeMs: number): void {
    this.breaker.succeed()
    this.#cooldowns.reset(this.#id)
    if (lifetimeMs > 0) this.#cooldowns.reset(this.#tokenKey(key))
    else this.#cooldowns.start(this.#tokenKey(key), expiredOnArrival(this.#client.name))
  }

  /** @param concernsClient whether the client's other requests use the same credentials */
  noteFailure(
    key: string,
    permit: Permit,
    error: TokenRequestError,
    request: FailedRequest,
    concernsClient: boolean,
  ): void {
    const kind = kindOf(error)
    if (kind === 'endpoint') {
      this.breaker.fail(permit, error, request)
      return
    }
    if (kind === 'supplier' || kind === 'unknown') this.breaker.abandon(permit)
    else this.breaker.succeed()
    if (kind === 'token') this.#cooldowns.reset(this.#id)
    if (kind === 'client' && concernsClient) this.#cooldowns.start(this.#id, error)
    // A supplier may work again the next moment. The cooldown only keeps a loop from calling it all the time.
    else this.#cooldowns.start(this.#tokenKey(key), error, kind !== 'supplier')
  }

  #tokenKey(key: string): string {
    return `${this.#id} ${key}`
  }
}

function expiredOnArrival(client: string): TokenRequestError {
  const errorDescription = 'the last token had expired when it was issued (expires_in: 0)'
  return new TokenRequestError({ client, error: 'invalid_response', errorDescription, retryable: false })
}
