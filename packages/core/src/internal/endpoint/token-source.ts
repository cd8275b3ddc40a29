import type { ClientAssertion } from '../../client-assertion'
import type { ClientConfiguration } from '../../client-configuration'
import type { Clock } from '../../clock'
import { TokenRequestError, TokenwardError } from '../../errors'
import type { RetrievalReason } from '../../events'
import type { KeptCredentials } from '../../kept-credentials'
import type { LoadContext, LoadedToken, TokenLoader } from '../../token-cache'
import type { RequestedToken, TokenRequest, TokenRequester } from '../../token-requester'
import { mergeClaims } from '../util/claims'
import type { Emit } from '../util/event-emitter'
import { withHidden } from '../util/hidden'
import type { KeptScope } from '../util/kept-scope'
import { sleep, withLimit } from '../util/time-limit'
import type { CircuitState, Permit } from './circuit-breaker'
import { copyError } from './copy-error'
import type { EndpointHealth } from './endpoint-health'
import { kindOf, requestError, timeoutError } from './failure-kinds'
import { keptScopeOf } from './kept-scope-of'
import { knownSecrets } from './sent-secrets'
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
  readonly health: EndpointHealth
  /** Gets the server's time, see {@link TokenRequest.serverTime}, and how long ago the request was sent. */
  readonly serverTime: (milliseconds: number, roundTripMs: number) => void
  readonly kept: (scope: KeptScope) => KeptCredentials
}

/** The right to send one request, if it was given. */
interface Acquired {
  readonly permit?: Permit
  /** It is the turn of another process to probe the endpoint. */
  readonly isDenied?: boolean
  /** Ends this process's turn, with whether the endpoint worked. */
  readonly endTurn?: (works: boolean) => void
}

/** One token that a call wants. */
interface TokenToLoad {
  readonly key: string
  readonly requested: RequestedToken
  /** The parameters without what an API demands. */
  readonly callerParameters?: RequestedToken['parameters']
  readonly clientAssertion: ClientAssertion | undefined
}

/** Where the tokens of one client come from: its requester, with time limit, retries, cooldowns and circuit breaker. */
export class TokenSource {
  readonly #options: TokenSourceOptions
  readonly #client: ClientConfiguration
  readonly #clock: Clock
  readonly #health: EndpointHealth
  #secretIndex = 0

  constructor(options: TokenSourceOptions) {
    this.#options = options
    this.#client = options.client
    this.#clock = options.clock
    this.#health = options.health
  }

  /** The state of the token endpoint's circuit breaker. */
  get circuit(): CircuitState {
    return this.#health.breaker.state
  }

  /** The position of the client secret that token requests use, from 0. */
  get secretIndex(): number {
    return this.#secretIndex
  }

  /** The loader of one token. `key` identifies it: failures that will repeat are remembered for it. */
  loader(key: string, requested: RequestedToken, clientAssertion: ClientAssertion | undefined): TokenLoader {
    return {
      load: (context) => this.#load({ key, requested, clientAssertion }, context),
      circuitError: () => this.#health.errorFor(key),
      openCircuit: (error) => this.#health.openCircuit(error),
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
      const request = withHidden(nothing, {
        parameters: {},
        clientAssertion,
        signal,
        nonceRetried() {},
        secretRotated: (index?: number) => this.#noteSecret(index),
      })
      return requester.revoke?.(this.#client, token, request) ?? false
    }
    return withLimit(this.#clock, timeoutMs, () => timeoutError(this.#client, limit), revoke)
  }

  async #load(given: TokenToLoad, context: LoadContext): Promise<LoadedToken> {
    const wanted = withClaims(given, context.claims)
    const error = this.#health.errorFor(wanted.key)
    if (error) throw error
    return this.#health.during(() => this.#loadWithRetries(wanted, context))
  }

  async #loadWithRetries(wanted: TokenToLoad, context: LoadContext): Promise<LoadedToken> {
    const { breaker } = this.#health
    const startedAt = this.#clock.monotonic()
    const giveUpAt = startedAt + (1 + RETRIES) * this.#client.timeoutMs
    const { failedLongAgo } = breaker
    let { permit, isDenied, endTurn } = await this.#acquire(context)
    // An endpoint that failed a moment ago gets no more than the probe. Nobody knows about one that failed long ago.
    const retries = (permit === 'probe' || isDenied) && !failedLongAgo ? 0 : RETRIES
    for (let turn = 0, attempts = 0; ; turn++) {
      const jitterMs = this.#options.random() * FIRST_BACKOFF_MS * 2 ** turn
      const mayWait = (ms: number) => turn < retries && context.isAwaited() && this.#clock.monotonic() + ms < giveUpAt
      // Undefined while a request may be sent, and while it is worth waiting for the probe of another call.
      let error = breaker.errorFor(this.#client.name)
      if (permit) {
        const requestedAt = this.#clock.monotonic()
        const { result, sentAt } = await this.#request(wanted, context, permit)
        endTurn?.(!(result instanceof TokenRequestError) || kindOf(result) !== 'endpoint')
        if (!(result instanceof TokenRequestError)) return { ...result, requestedAt: sentAt }
        error = result
        attempts++
        const isRepeatable = error.retryable && kindOf(error) !== 'supplier'
        const gaveUp = context.isAwaited() && !(isRepeatable && mayWait((error.retryAfterMs ?? 0) + jitterMs))
        const failed = permit === 'probe' ? { startedAt: requestedAt, attempts: 1 } : { startedAt, attempts }
        // An assertion that only this call has brought along says nothing about the client's other calls.
        const concernsClient = wanted.clientAssertion === this.#client.clientAssertion
        this.#health.noteFailure(wanted.key, permit, error, { ...failed, gaveUp }, concernsClient)
        const willRetry = isRepeatable && mayWait(this.#delayMs(error, jitterMs))
        this.#emitFailure(error, context.reason, attempts, willRetry)
        if (!willRetry) throw error
      } else if (error && !mayWait(this.#delayMs(error, jitterMs))) throw error
      await sleep(this.#clock, this.#delayMs(error, jitterMs), context.signal)
      await context.beforeRetry?.()
      ;({ permit, endTurn } = await this.#acquire(context))
    }
  }

  /** The right to send one request. A probe of an endpoint that fails also has to be this process's turn in the fleet. */
  async #acquire(context: LoadContext): Promise<Acquired> {
    const permit = this.#health.tryAcquire()
    if (permit !== 'probe' || !context.probeTurn) return permit ? { permit } : {}
    const endTurn = await context.probeTurn()
    if (endTurn) return { permit, endTurn }
    this.#health.postpone(permit, this.#options.random())
    return { isDenied: true }
  }

  /** Full jitter, after the time that the server wants. While the circuit is open, the retry waits for the next probe. */
  #delayMs(error: TokenRequestError | undefined, jitterMs: number): number {
    return Math.max(error?.retryAfterMs ?? 0, this.#health.breaker.waitMs) + jitterMs
  }

  /** Sends one request within its time limit. The result has what it failed with, so that the caller can try again. */
  async #request(
    { key, requested, callerParameters, clientAssertion }: TokenToLoad,
    context: LoadContext,
    permit: Permit,
  ): Promise<{ result: ReadToken | TokenRequestError; sentAt: number }> {
    const { requester, emit } = this.#options
    let sentAt = this.#clock.monotonic()
    const serverTime = (ms: number) => this.#options.serverTime(ms, this.#clock.monotonic() - sentAt)
    const { name, timeoutMs } = this.#client
    const { parameters, ...shown } = requested
    const callbacks = {
      nonceRetried: () => emit('nonceRetried', { client: name, at: 'token_endpoint' }),
      secretRotated: (index?: number) => this.#noteSecret(index),
      serverTime,
      sending: () => {
        sentAt = this.#clock.monotonic()
      },
    }
    let limit: AbortSignal | undefined
    const send = async (signal: AbortSignal) => {
      limit = signal
      const kept = this.#options.kept(keptScopeOf(this.#client, signal))
      const hidden = { parameters, callerParameters, clientAssertion, signal, kept }
      const request: TokenRequest = withHidden(shown, { ...hidden, ...callbacks })
      return requester.request(this.#client, request)
    }
    try {
      const timeout = () => timeoutError(this.#client, limit)
      const response = await withLimit(this.#clock, timeoutMs, timeout, send, context.signal)
      const mayBeNA = requester.mayIssueNA === true
      const token = readTokenResponse(this.#client, response, requested.scope, mayBeNA, this.#clock.now())
      this.#health.noteSuccess(key, token.lifetimeMs)
      return { result: token, sentAt }
    } catch (thrown) {
      const isUsersMistake = thrown instanceof TokenwardError && !(thrown instanceof TokenRequestError)
      if (context.signal.aborted || isUsersMistake) {
        this.#health.abandon(permit)
        throw context.signal.aborted ? context.signal.reason : thrown
      }
      const result = await requestError(
        this.#client,
        thrown,
        knownSecrets(this.#client, parameters, clientAssertion),
        limit,
      )
      return { result, sentAt }
    }
  }

  #noteSecret(index = 0): void {
    this.#secretIndex = index
    this.#options.emit('secretRotated', { client: this.#client.name, index })
  }

  /** Listeners and logs do not get what a supplier of the user's threw: it may say anything. */
  #emitFailure(
    error: TokenRequestError,
    reason: RetrievalReason | undefined,
    attempt: number,
    willRetry: boolean,
  ): void {
    const shown = error.cause === undefined ? error : copyError(error, { cause: undefined })
    this.#options.emit('tokenRequestFailed', { client: this.#client.name, error: shown, reason, attempt, willRetry })
  }
}

/**
 * The same token with what an API demands of it. Its failures are remembered by themselves: what an API demands must not keep calls of
 * others from their token.
 */
function withClaims(wanted: TokenToLoad, claims: string | undefined): TokenToLoad {
  if (claims === undefined) return wanted
  const { key, requested } = wanted
  const parameters = { ...requested.parameters, claims: mergeClaims(requested.parameters.claims, claims) }
  const callerParameters = requested.parameters
  return { ...wanted, key: `${key} with claims`, requested: { ...requested, parameters }, callerParameters }
}
