import type { ClientAssertion } from '../../client-assertion'
import type { ClientConfiguration } from '../../client-configuration'
import type { Clock } from '../../clock'
import { TokenRequestError, TokenwardError } from '../../errors'
import type { LoadContext, LoadedToken, TokenLoader } from '../../token-cache'
import type { RequestedToken, TokenRequester } from '../../token-requester'
import type { Emit } from '../util/event-emitter'
import { withHidden } from '../util/hidden'
import { sleep, withLimit } from '../util/time-limit'
import { tokenRequestFailure } from './token-request-failure'
import { readTokenResponse } from './token-response'

const RETRIES = 2
/** The longest that the first retry waits; each further one waits up to twice as long. */
const FIRST_BACKOFF_MS = 300
/** While the endpoint fails, requests go out no more often than this. */
const PROBE_INTERVAL_MS = 500
/** The longer an outage, the rarer its probes: this share of its age so far, up to the longest interval. */
const PROBE_INTERVAL_SHARE = 0.1
const LONGEST_PROBE_INTERVAL_MS = 5_000
/** A server that asks for more time than this is asked again all the same. */
const LONGEST_RETRY_AFTER_MS = 300_000

/** A client that was refused this often in a row is no longer believed to be let in at the next moment. */
const REFUSALS = 3
const REFUSED = new Set(['invalid_client', 'unauthorized_client'])

/** The endpoint fails: it is asked rarely, by one caller at a time, and the others are told at once. */
interface Outage {
  readonly since: number
  readonly error: TokenRequestError
  /** When the next request may go out. */
  readonly probeAt: number
}

export interface TokenSourceOptions {
  readonly client: ClientConfiguration
  readonly requester: TokenRequester
  readonly clock: Clock
  readonly random: () => number
  readonly emit: Emit
  /** Learns the time of the authorization server, in milliseconds since 1970. */
  readonly serverTime: (milliseconds: number) => void
}

/** Where one client's tokens come from: its requester, with the time limit, the retries, and what is known of outages. */
export class TokenSource {
  readonly #client: ClientConfiguration
  readonly #requester: TokenRequester
  readonly #clock: Clock
  readonly #random: () => number
  readonly #emit: Emit
  readonly #serverTime: (milliseconds: number) => void
  #outage: Outage | undefined
  #probing = false
  #refusals = 0

  constructor({ client, requester, clock, random, emit, serverTime }: TokenSourceOptions) {
    this.#serverTime = serverTime
    this.#client = client
    this.#requester = requester
    this.#clock = clock
    this.#random = random
    this.#emit = emit
  }

  /** The loader of one token. `key` identifies it: failures that will repeat are remembered for it. */
  loader(_key: string, requested: RequestedToken, clientAssertion: ClientAssertion | undefined): TokenLoader {
    return {
      load: (context) => this.#load(requested, clientAssertion, context),
      circuitError: () => this.#failFast(),
      openCircuit: (error) => this.#learn(error),
    }
  }

  /** Whether the server was told that the token is no longer to be taken; false when it offers no revocation. */
  async revoke(token: string): Promise<boolean> {
    const { clientAssertion, timeoutMs, resource } = this.#client
    const requester = this.#requester
    if (!requester.revoke) return false
    const nothing = { scope: undefined, resource, audience: undefined }
    const revoke = async (signal: AbortSignal) => {
      const request = withHidden(nothing, { parameters: {}, clientAssertion, signal, nonceRetried() {} })
      return requester.revoke?.(this.#client, token, request) ?? false
    }
    return withLimit(this.#clock, timeoutMs, () => this.#timeout(), revoke)
  }

  /** The error for those who may not ask now: the endpoint fails, and it is not time to try again or somebody does. */
  #failFast(): TokenRequestError | undefined {
    if (!this.#outage) return undefined
    const waitMs = this.#outage.probeAt - this.#clock.monotonic()
    if (waitMs <= 0 && !this.#probing) return undefined
    const retryAfterMs = waitMs > 0 ? Math.ceil(waitMs) : PROBE_INTERVAL_MS
    const { client, error, errorDescription, status, retryable } = this.#outage.error
    return new TokenRequestError({ client, error, errorDescription, status, retryable, retryAfterMs })
  }

  #learn(error: TokenRequestError): void {
    const now = this.#clock.monotonic()
    const probeAt = Math.max(this.#outage?.probeAt ?? 0, now + askedPauseMs(error))
    this.#outage = { since: this.#outage?.since ?? now, error, probeAt }
  }

  async #load(
    requested: RequestedToken,
    assertion: ClientAssertion | undefined,
    context: LoadContext,
  ): Promise<LoadedToken> {
    const failFast = this.#failFast()
    if (failFast) throw failFast
    if (!this.#outage) return this.#loadWithRetries(requested, assertion, context, RETRIES)
    this.#probing = true
    try {
      return await this.#loadWithRetries(requested, assertion, context, 0)
    } finally {
      this.#probing = false
    }
  }

  async #loadWithRetries(
    requested: RequestedToken,
    assertion: ClientAssertion | undefined,
    context: LoadContext,
    retries: number,
  ): Promise<LoadedToken> {
    const startedAt = this.#clock.monotonic()
    const giveUpAt = startedAt + (1 + RETRIES) * this.#client.timeoutMs
    for (let attempt = 1; ; attempt++) {
      const requestedAt = this.#clock.monotonic()
      try {
        const loaded = await this.#request(requested, assertion, context.signal)
        this.#outage = undefined
        this.#refusals = 0
        return { ...loaded, requestedAt }
      } catch (thrown) {
        if (context.signal.aborted) throw context.signal.reason
        if (thrown instanceof TokenwardError && !(thrown instanceof TokenRequestError)) throw thrown
        const error = await tokenRequestFailure(this.#client.name, thrown)
        const delayMs = this.#backoffMs(error, attempt)
        const inTime = this.#clock.monotonic() + delayMs < giveUpAt
        // A renewal that nobody waits for has time until its token's next use.
        const willRetry = error.retryable && attempt <= retries && inTime && context.isAwaited()
        this.#emit('tokenRequestFailed', { client: this.#client.name, error, attempt, willRetry })
        if (!willRetry) {
          this.#noteFailure(error, startedAt, attempt, context.isAwaited())
          throw error
        }
        await sleep(this.#clock, delayMs, context.signal)
      }
    }
  }

  async #request(requested: RequestedToken, clientAssertion: ClientAssertion | undefined, signal: AbortSignal) {
    const { name, timeoutMs } = this.#client
    const { parameters, ...shown } = requested
    const nonceRetried = () => this.#emit('nonceRetried', { client: name, at: 'token_endpoint' })
    const ask = async (limit: AbortSignal) => {
      const hidden = { parameters, clientAssertion, signal: limit, nonceRetried, serverTime: this.#serverTime }
      return this.#requester.request(this.#client, withHidden(shown, hidden))
    }
    const response = await withLimit(this.#clock, timeoutMs, () => this.#timeout(), ask, signal)
    return readTokenResponse(this.#client, response, requested.scope, this.#clock.now())
  }

  #timeout(): TokenRequestError {
    const { name, timeoutMs } = this.#client
    const errorDescription = `no answer within ${timeoutMs} ms`
    return new TokenRequestError({ client: name, error: 'timeout', errorDescription, retryable: true })
  }

  /** Full jitter, after the time that the server asks for. */
  #backoffMs(error: TokenRequestError, attempt: number): number {
    return (error.retryAfterMs ?? 0) + this.#random() * FIRST_BACKOFF_MS * 2 ** (attempt - 1)
  }

  #noteFailure(error: TokenRequestError, startedAt: number, attempts: number, awaited: boolean): void {
    this.#refusals = REFUSED.has(error.error) ? this.#refusals + 1 : 0
    if (!error.retryable && this.#refusals < REFUSALS) {
      // It answers, if not as one would like: no outage.
      this.#outage = undefined
      return
    }
    // One failure of a renewal ahead says little, and nobody had to wait for it.
    if (!this.#outage && !awaited) return
    const now = this.#clock.monotonic()
    const since = this.#outage?.since ?? startedAt
    const intervalMs = Math.min(
      Math.max(PROBE_INTERVAL_MS, (now - since) * PROBE_INTERVAL_SHARE),
      LONGEST_PROBE_INTERVAL_MS,
    )
    // Each request of the retries takes up an interval of its own, so that their burst does not add to the rate.
    const probeAt = Math.max(startedAt + attempts * intervalMs, now + askedPauseMs(error))
    this.#outage = { since, error, probeAt }
  }
}

function askedPauseMs({ retryAfterMs = 0 }: TokenRequestError): number {
  return Math.min(retryAfterMs, LONGEST_RETRY_AFTER_MS)
}
