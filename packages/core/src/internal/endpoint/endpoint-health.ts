import type { ClientConfiguration } from '../../client-configuration'
import { TokenRequestError } from '../../errors'
import type { Emit } from '../util/event-emitter'
import type { CircuitBreaker, FailedRequest, Permit } from './circuit-breaker'
import type { Cooldowns } from './cooldowns'
import { copyError } from './copy-error'
import { kindOf } from './failure-kinds'
import { shownUrl } from './request-progress'

export interface EndpointHealthOptions {
  readonly client: ClientConfiguration
  /** Shared by all clients of the token endpoint. */
  readonly breaker: CircuitBreaker
  /** Shared by all clients of the manager. */
  readonly cooldowns: Cooldowns
  /** The client's own among the cooldowns, even if another client had its name before. */
  readonly id: string
  readonly emit: Emit
}

/** What one client knows about failures at its token endpoint: decides which requests may be sent, by what came of the others. */
export class EndpointHealth {
  readonly breaker: CircuitBreaker
  readonly #client: ClientConfiguration
  readonly #cooldowns: Cooldowns
  readonly #id: string
  readonly #emit: Emit

  constructor({ client, breaker, cooldowns, id, emit }: EndpointHealthOptions) {
    this.breaker = breaker
    this.#client = client
    this.#cooldowns = cooldowns
    this.#id = id
    this.#emit = emit
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

  /** The right to send one request, see {@link CircuitBreaker.tryAcquire}. */
  tryAcquire(): Permit | undefined {
    return this.#reportChange(() => this.breaker.tryAcquire())
  }

  /** The request ended without a word about the endpoint. */
  abandon(permit: Permit): void {
    this.#reportChange(() => this.breaker.abandon(permit))
  }

  /** The probe is not sent, because it is another process's turn. */
  postpone(permit: Permit, random: number): void {
    this.#reportChange(() => this.breaker.postpone(permit, random))
  }

  /** Another process has found that the endpoint fails. */
  openCircuit(error: TokenRequestError): void {
    this.#reportChange(() => this.breaker.openFor(error))
  }

  /** A token was issued. */
  noteSuccess(key: string, lifetimeMs: number): void {
    this.#reportChange(() => this.breaker.succeed())
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
      this.#reportChange(() => this.breaker.fail(permit, error, request))
      return
    }
    if (kind === 'supplier' || kind === 'unknown') this.abandon(permit)
    else this.#reportChange(() => this.breaker.succeed())
    if (kind === 'token') this.#cooldowns.reset(this.#id)
    if (kind === 'client' && concernsClient) this.#cooldowns.start(this.#id, error)
    // A supplier may work again the next moment. The cooldown only keeps a loop from calling it all the time.
    else this.#cooldowns.start(this.#tokenKey(key), error, kind !== 'supplier')
  }

  /** Emits what `act` makes of the state of the circuit. */
  #reportChange<T>(act: () => T): T {
    const { state: before, failingForMs: failedForMs } = this.breaker
    const result = act()
    const { state, error } = this.breaker
    if (state === before) return result
    const { name: client, tokenEndpoint, issuer = '' } = this.#client
    const endpoint = shownUrl(tokenEndpoint ?? issuer)
    if (state === 'closed') this.#emit('circuitClosed', { client, endpoint, failedForMs })
    else if (state === 'halfOpen') this.#emit('circuitHalfOpened', { client, endpoint })
    else if (error) {
      const retryAfterMs = this.breaker.waitMs
      // The cause is an error of the user's own, which may say anything.
      const shown = copyError(error, { cause: undefined })
      this.#emit('circuitOpened', { client, endpoint, error: shown, retryAfterMs, wasOpen: before === 'halfOpen' })
    }
    return result
  }

  #tokenKey(key: string): string {
    return `${this.#id} ${key}`
  }
}

function expiredOnArrival(client: string): TokenRequestError {
  const errorDescription = 'the last token had expired when it was issued (expires_in: 0)'
  return new TokenRequestError({ client, error: 'invalid_response', errorDescription, retryable: false })
}
