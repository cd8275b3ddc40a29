import type { Clock } from '../../clock'
import type { TokenRequestError } from '../../errors'
import { copyError } from './copy-error'

/**
 * `closed`: requests go out. `open`: none does, because the endpoint fails. `halfOpen`: one caller probes the endpoint, and
 * the others fail at once.
 */
export type CircuitState = 'closed' | 'open' | 'halfOpen'

/** The right to send one request. */
export type Permit = 'request' | 'probe'

/** So many failures in a row open the circuit: one call with its two retries. */
const FAILURES_TO_OPEN = 3
/** The shortest time between two probes. */
const PROBE_INTERVAL_MS = 500
/** The longer the endpoint has failed, the rarer the probes: the interval is this share of that time, up to the longest one. */
const PROBE_INTERVAL_SHARE = 0.1
const LONGEST_PROBE_INTERVAL_MS = 5_000
/** When no probe was sent for so long, because nobody wanted a token, the endpoint may well work again. */
const LONG_AGO_MS = 30_000
/** How long callers then wait until a probe, of this process or of another one, has told. */
const LONG_AGO_PATIENCE_MS = 3_000

/** A request that failed, as the circuit breaker sees it. */
export interface FailedRequest {
  /** When the call that sent it began, in milliseconds of the monotonic clock. */
  readonly startedAt: number
  /** How many requests the call has sent, this one included. */
  readonly attempts: number
  /** The caller waited for it and gives up: the circuit opens at once. */
  readonly gaveUp: boolean
}

/**
 * Keeps requests away from a token endpoint that fails. All clients that use the endpoint through the same transport share
 * one. It counts failures of the endpoint only, never those of one client.
 */
export class CircuitBreaker {
  readonly #clock: Clock
  #state: CircuitState = 'closed'
  #failures = 0
  #failingSince = 0
  #probeAt = 0
  #error: TokenRequestError | undefined
  /** The probe under way is the first request after a long time. */
  #isFirstForLong = false
  /** Until then, callers wait for the first probe after a long time, if another process sends it. */
  #unknownUntil = Number.NEGATIVE_INFINITY

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get state(): CircuitState {
    return this.#state
  }

  /** What the endpoint failed with, while the circuit is not closed. */
  get error(): TokenRequestError | undefined {
    return this.#error
  }

  /** How long the endpoint has failed, in milliseconds; 0 when the last request succeeded. */
  get failingForMs(): number {
    return this.#failures === 0 ? 0 : this.#clock.monotonic() - this.#failingSince
  }

  /** Whether a probe could have been sent long ago, so that nobody knows whether the endpoint still fails. */
  get failedLongAgo(): boolean {
    const now = this.#clock.monotonic()
    return this.#state !== 'closed' && (now > this.#probeAt + LONG_AGO_MS || now < this.#unknownUntil)
  }

  /** How long no request may go out, in milliseconds; 0 when one may go out now. */
  get waitMs(): number {
    if (this.#state === 'closed') return 0
    const untilProbeMs = Math.max(0, Math.ceil(this.#probeAt - this.#clock.monotonic()))
    return this.#state === 'halfOpen' && untilProbeMs === 0 ? PROBE_INTERVAL_MS : untilProbeMs
  }

  /**
   * The error for a caller that may not send a request now. Undefined when it may, or when it should wait for the probe: nobody
   * knows whether an endpoint that failed long ago still fails.
   */
  errorFor(client: string): TokenRequestError | undefined {
    if (this.#state === 'halfOpen' && this.#isFirstForLong) return undefined
    if (this.#state !== 'closed' && this.#clock.monotonic() < this.#unknownUntil) return undefined
    const retryAfterMs = this.waitMs
    return this.#error && retryAfterMs > 0 ? copyError(this.#error, { client, retryAfterMs }) : undefined
  }

  /**
   * The right to send one request. Undefined while none may go out. Whoever has a permit reports what came of it: `succeed`,
   * `fail` or `abandon`.
   */
  tryAcquire(): Permit | undefined {
    if (this.#state === 'closed') return 'request'
    if (this.waitMs > 0) return undefined
    const now = this.#clock.monotonic()
    if (this.#state === 'open' && now > this.#probeAt + LONG_AGO_MS) this.#unknownUntil = now + LONG_AGO_PATIENCE_MS
    this.#isFirstForLong = this.failedLongAgo
    this.#state = 'halfOpen'
    return 'probe'
  }

  /** The endpoint responded as an endpoint that works does, even if it refused the client. */
  succeed(): void {
    this.#state = 'closed'
    this.#failures = 0
    this.#error = undefined
  }

  /** The endpoint failed. */
  fail(permit: Permit, error: TokenRequestError, { startedAt, attempts, gaveUp }: FailedRequest): void {
    if (this.#failures === 0) this.#failingSince = startedAt
    this.#failures++
    const now = this.#clock.monotonic()
    const askedMs = error.retryAfterMs ?? 0
    if (this.#state !== 'closed' && permit === 'request') {
      // It went out before the circuit opened.
      this.#probeAt = Math.max(this.#probeAt, now + askedMs)
      return
    }
    if (permit === 'request' && !gaveUp && askedMs === 0 && this.#failures < FAILURES_TO_OPEN) return
    // Each request of the call takes an interval of its own, so that its retries do not add to the rate.
    this.#open(error, Math.max(startedAt + attempts * this.#probeIntervalMs, now + askedMs))
  }

  /** The probe was not sent, because it is another process's turn. @param random from 0 to 1 */
  postpone(permit: Permit, random: number): void {
    this.abandon(permit)
    // While nobody knows, the probe of the other process is waited for.
    const intervalMs = this.failedLongAgo ? PROBE_INTERVAL_MS : this.#probeIntervalMs
    if (this.#state === 'open') this.#probeAt = this.#clock.monotonic() + intervalMs * (0.5 + random)
  }

  /** The request ended without a word about the endpoint: it was aborted, or a supplier failed before it was sent. */
  abandon(permit: Permit): void {
    if (permit === 'probe' && this.#state === 'halfOpen') this.#state = 'open'
  }

  /** Opens the circuit for `retryAfterMs`: another process has found that the endpoint fails. */
  openFor(error: TokenRequestError): void {
    const now = this.#clock.monotonic()
    const probeAt = now + (error.retryAfterMs ?? 0)
    if (this.#failures === 0) {
      this.#failures = 1
      this.#failingSince = now
    }
    if (this.#state === 'closed') this.#open(error, probeAt)
    else this.#probeAt = Math.max(this.#probeAt, probeAt)
  }

  get #probeIntervalMs(): number {
    const share = (this.#clock.monotonic() - this.#failingSince) * PROBE_INTERVAL_SHARE
    return Math.min(Math.max(PROBE_INTERVAL_MS, share), LONGEST_PROBE_INTERVAL_MS)
  }

  #open(error: TokenRequestError, probeAt: number): void {
    this.#state = 'open'
    this.#unknownUntil = Number.NEGATIVE_INFINITY
    this.#error = error
    this.#probeAt = probeAt
  }
}
