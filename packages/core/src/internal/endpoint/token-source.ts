import type { ClientAssertion } from '../../client-assertion'
import type { ClientConfiguration } from '../../client-configuration'
import type { Clock } from '../../clock'
import { TokenRequestError, TokenwardError } from '../../errors'
import type { LoadContext, LoadedToken, TokenLoader } from '../../token-cache'
import type { RequestedToken, TokenRequest, TokenRequester } from '../../token-requester'
import type { Emit } from '../util/event-emitter'
import { withHidden } from '../util/hidden'
import { sleep, withLimit } from '../util/time-limit'
import type { CircuitBreaker, FailedRequest, Permit } from './circuit-breaker'
import type { Cooldowns } from './cooldowns'
import { copyError } from './copy-error'
import { kindOf, requestError, timeoutError } from './failure-kinds'
import { SentSecrets } from './sent-secrets'
import { type ReadToken, readTokenResponse } from './token-response'

const RETRIES = 2
/** The longest that the first retry waits. Each further one waits up to twice as long. */
const FIRST_BACKOFF_MS = 300

export interface TokenSourceOptions {
  readonly client: ClientConfiguration
  readonly requester: TokenRequester
  readonly clock: Clock
  readonly random: () => number
  readonly emit: Emit
  /** Shared by all clients of the token endpoint. */
  readonly breaker: CircuitBreaker
  /** Shared by all clients of the manager, which is why each has an `id` of its own there. */
  readonly cooldowns: Cooldowns
  readonly id: string
  /** Gets the server's time, see {@link TokenRequest.serverTime}. */
  readonly serverTime?: ((milliseconds: number) => void) | undefined
}

/** One token that a call wants. */
interface WantedToken {
  /** Under which its failures are remembered. */
  readonly key: string
  readonly requested: RequestedToken
  readonly clientAssertion: ClientAssertion | undefined
}

/** Where the tokens of one client come from: its requester, with time limit, retries, cooldowns and circuit breaker. */
export class TokenSource {
  readonly #options: TokenSourceOptions
  readonly #client: ClientConfiguration
  readonly #clock: Clock
  readonly #breaker: CircuitBreaker
  readonly #cooldowns: Cooldowns
  readonly #clientKey: string

  constructor(options: TokenSourceOptions) {
    this.#options = options
    this.#client = options.client
    this.#clock = options.clock
    this.#breaker = options.breaker
    this.#cooldowns = options.cooldowns
    this.#clientKey = options.id
  }

  /** The loader of one token. `key` identifies it: failures that will repeat are remembered for it. */
  loader(key: string, requested: RequestedToken, clientAssertion: ClientAssertion | undefined): TokenLoader {
    const wanted = { key, requested, clientAssertion }
    return {
      load: (context) => this.#load(wanted, context),
      circuitError: () => this.#failFast(key),
      openCircuit: (error) => this.#breaker.openFor(error),
    }
  }

  /** Revokes the token. False when the server offers no revocation. */
  async revoke(token: string): Promise<boolean> {
    const { clientAssertion, timeoutMs, resource } = this.#client
    const { requester } = this.#options
    if (!requester.revoke) return false
    const nothing = { scope: undefined, resource, audience: undefined }
    let limit: AbortSignal | undefined
    const revoke = async (signal: AbortSignal) => {
      limit = signal
      const request = withHidden(nothing, { parameters: {}, clientAssertion, signal, nonceRetried() {} })
      return requester.revoke?.(this.#client, token, request) ?? false
    }
    return withLimit(this.#clock, timeoutMs, () => timeoutError(this.#client, limit), revoke)
  }

  /** No other client's key, even if it is the key of a client of this name that was removed. */
  #tokenKey(key: string): string {
    return `${this.#clientKey} ${key}`
  }

  /** The error for a call that may not send a request now. */
  #failFast(key: string): TokenRequestError | undefined {
    return (
      this.#cooldowns.errorFor(this.#clientKey) ??
      this.#cooldowns.errorFor(this.#tokenKey(key)) ??
      this.#breaker.errorFor(this.#client.name)
    )
  }

  async #load(wanted: WantedToken, context: LoadContext): Promise<LoadedToken> {
    const error = this.#failFast(wanted.key)
    if (error) throw error
    this.#cooldowns.beginTrial(this.#clientKey)
    try {
      return await this.#loadWithRetries(wanted, context)
    } finally {
      this.#cooldowns.endTrial(this.#clientKey)
    }
  }

  async #loadWithRetries(wanted: WantedToken, context: LoadContext): Promise<LoadedToken> {
    const startedAt = this.#clock.monotonic()
    const giveUpAt = startedAt + (1 + RETRIES) * this.#client.timeoutMs
    const jitter = (turn: number) => this.#options.random() * FIRST_BACKOFF_MS * 2 ** turn
    let permit = this.#breaker.tryAcquire()
    const retries = permit === 'probe' ? 0 : RETRIES
    for (let turn = 0, attempts = 0; ; turn++) {
      const mayWait = (ms: number) => turn < retries && context.isAwaited() && this.#clock.monotonic() + ms < giveUpAt
      const jitterMs = jitter(turn)
      let error = this.#breaker.errorFor(this.#client.name)
      if (permit) {
        const requestedAt = this.#clock.monotonic()
        const result = await this.#request(wanted, context, permit)
        if (!(result instanceof TokenRequestError)) return { ...result, requestedAt }
        error = result
        attempts++
        const isRepeatable = error.retryable && kindOf(error) !== 'supplier'
        const gaveUp = context.isAwaited() && !(isRepeatable && mayWait((error.retryAfterMs ?? 0) + jitterMs))
        const failed = permit === 'probe' ? { startedAt: requestedAt, attempts: 1 } : { startedAt, attempts }
        this.#noteFailure(wanted, permit, error, { ...failed, gaveUp })
        const willRetry = isRepeatable && mayWait(this.#delayMs(error, jitterMs))
        this.#emitFailure(error, attempts, willRetry)
        if (!willRetry) throw error
      } else if (error && !mayWait(this.#delayMs(error, jitterMs))) throw error
      await sleep(this.#clock, this.#delayMs(error, jitterMs), context.signal)
      permit = this.#breaker.tryAcquire()
    }
  }

  /** Full jitter, after the time that the server wants. While the circuit is open, the retry waits for the next probe. */
  #delayMs(error: TokenRequestError | undefined, jitterMs: number): number {
    return Math.max(error?.retryAfterMs ?? 0, this.#breaker.waitMs) + jitterMs
  }

  /** Sends one request, and reports what came of it to the circuit breaker, unless that is a failure. */
  async #request(
    { key, requested, clientAssertion }: WantedToken,
    context: LoadContext,
    permit: Permit,
  ): Promise<ReadToken | TokenRequestError> {
    const { requester, emit } = this.#options
    const { name, timeoutMs } = this.#client
    const { parameters, ...shown } = requested
    const nonceRetried = () => emit('nonceRetried', { client: name, at: 'token_endpoint' })
    const serverTime = (ms: number) => this.#options.serverTime?.(ms)
    let limit: AbortSignal | undefined
    const send = async (signal: AbortSignal) => {
      limit = signal
      const request: TokenRequest = withHidden(shown, { parameters, clientAssertion, signal, nonceRetried, serverTime })
      return requester.request(this.#client, request)
    }
    try {
      const timeout = () => timeoutError(this.#client, limit)
      const response = await withLimit(this.#clock, timeoutMs, timeout, send, context.signal)
      const read = readTokenResponse(this.#client, response, requested.scope, this.#clock.now())
      this.#breaker.succeed()
      this.#cooldowns.reset(this.#clientKey)
      if (read.lifetimeMs > 0) this.#cooldowns.reset(this.#tokenKey(key))
      else this.#cooldowns.start(this.#tokenKey(key), expiredOnArrival(name))
      return read
    } catch (thrown) {
      const isOurs = thrown instanceof TokenwardError && !(thrown instanceof TokenRequestError)
      if (context.signal.aborted || isOurs) this.#breaker.abandon(permit)
      if (context.signal.aborted) throw context.signal.reason
      if (isOurs) throw thrown
      return requestError(this.#client, thrown, this.#knownSecrets(parameters, clientAssertion), limit)
    }
  }

  /** What an error of a custom requester must not repeat. The others collect it from their requests. */
  #knownSecrets(parameters: RequestedToken['parameters'], clientAssertion: ClientAssertion | undefined): SentSecrets {
    const secrets = new SentSecrets()
    for (const value of [...Object.values(parameters), this.#client.clientSecret, clientAssertion]) {
      if (typeof value === 'string') secrets.add(value)
    }
    return secrets
  }

  #noteFailure({ key, clientAssertion }: WantedToken, permit: Permit, error: TokenRequestError, failed: FailedRequest) {
    const kind = kindOf(error)
    if (kind === 'endpoint') return this.#breaker.fail(permit, error, failed)
    if (kind === 'supplier' || kind === 'unknown') this.#breaker.abandon(permit)
    else this.#breaker.succeed()
    // An assertion that only this call has brought along says nothing about the client's other calls.
    if (kind === 'client' && clientAssertion === this.#client.clientAssertion) {
      return this.#cooldowns.start(this.#clientKey, error)
    }
    if (kind === 'token') this.#cooldowns.reset(this.#clientKey)
    // A supplier may work again the next moment. The pause only keeps a loop from calling it all the time.
    this.#cooldowns.start(this.#tokenKey(key), error, kind !== 'supplier')
  }

  /** Listeners and logs do not get what a supplier of the user's threw: it may say anything. */
  #emitFailure(error: TokenRequestError, attempt: number, willRetry: boolean): void {
    const shown = error.cause === undefined ? error : copyError(error, { cause: undefined })
    this.#options.emit('tokenRequestFailed', { client: this.#client.name, error: shown, attempt, willRetry })
  }
}

function expiredOnArrival(client: string): TokenRequestError {
  const errorDescription = 'the last token had expired when it was issued (expires_in: 0)'
  return new TokenRequestError({ client, error: 'invalid_response', errorDescription, retryable: false })
}
