import type { AccessToken } from '../../access-token'
import type { Clock } from '../../clock'
import { TokenRequestError } from '../../errors'
import type { KeepFreshCallback } from '../../keep-fresh'
import { errorCode } from '../util/error-code'
import type { EventEmitter } from '../util/event-emitter'
import { quietly } from '../util/quietly'

/** A look at the token at least this often: it may have been deleted. */
const LONGEST_WAIT_MS = 60_000
/** While something is due and does not happen, such as a renewal in an outage. */
const SHORTEST_WAIT_MS = 1_000
const FIRST_BACKOFF_MS = 500
const LONGEST_BACKOFF_MS = 30_000

/** A token, and how long it needs nothing done. */
export interface KeptToken {
  readonly token: AccessToken
  /** How long a look-up would do nothing but return the token, in milliseconds. Undefined: a custom cache does not say it. */
  readonly idleMs: number | undefined
}

export interface TokenKeeperOptions {
  readonly client: string
  readonly clock: Clock
  readonly random: () => number
  readonly events: EventEmitter
  /** Looks the token up, which renews it when that is due. */
  readonly lookUp: (signal: AbortSignal) => Promise<KeptToken>
  readonly callback: KeepFreshCallback
  readonly onError: ((error: unknown) => void) | undefined
}

/** Keeps one token fresh although nobody asks for it, and passes on each new one. Its timer does not keep the process alive. */
export class TokenKeeper {
  readonly #options: TokenKeeperOptions
  readonly #stopping = new AbortController()
  readonly #unsubscribe: (() => void)[]
  #lastValue: string | undefined
  #cancelTimer = () => {}
  #failures = 0
  #isLooking = false
  #mustLookAgain = false

  constructor(options: TokenKeeperOptions) {
    this.#options = options
    const { events, client } = options
    const look = (event: { readonly client: string }) => {
      if (event.client === client) this.look()
    }
    // Another caller or process may have caused them.
    this.#unsubscribe = [events.on('tokenRetrieved', look), events.on('tokenRejected', look)]
  }

  stop(): void {
    this.#stopping.abort()
    this.#cancelTimer()
    for (const unsubscribe of this.#unsubscribe) unsubscribe()
  }

  /** Looks at the token now, and from then on whenever something is due. */
  look(): void {
    this.#mustLookAgain = true
    if (!this.#isLooking) void this.#lookWhileNeeded()
  }

  async #lookWhileNeeded(): Promise<void> {
    this.#isLooking = true
    this.#cancelTimer()
    let waitMs = 0
    while (this.#mustLookAgain && !this.#stopping.signal.aborted) {
      this.#mustLookAgain = false
      waitMs = await this.#lookOnce()
    }
    this.#isLooking = false
    if (this.#stopping.signal.aborted) return
    this.#cancelTimer = this.#options.clock.setTimeout(() => this.look(), waitMs, { unref: true })
  }

  /** @returns how long nothing is due, in milliseconds */
  async #lookOnce(): Promise<number> {
    try {
      const { token, idleMs } = await this.#options.lookUp(this.#stopping.signal)
      if (this.#stopping.signal.aborted) return 0
      this.#failures = 0
      this.#pass(token)
      return this.#waitMs(token, idleMs)
    } catch (error) {
      if (this.#stopping.signal.aborted) return 0
      quietly(() => this.#options.onError?.(error))
      return this.#backoffMs(error)
    }
  }

  #pass(token: AccessToken): void {
    if (token.value === this.#lastValue) return
    this.#lastValue = token.value
    const { callback, onError, client, events } = this.#options
    quietly(
      () => callback(token),
      (error) => {
        events.emit('callbackFailed', { client, reason: errorCode(error) })
        quietly(() => onError?.(error))
      },
    )
  }

  #waitMs({ expiresAt }: AccessToken, idleMs: number | undefined): number {
    const remainingMs = expiresAt ? Math.max(0, expiresAt.getTime() - this.#options.clock.now()) : LONGEST_WAIT_MS
    const shortestMs = Math.min(SHORTEST_WAIT_MS, Math.max(remainingMs / 20, 10))
    return Math.min(Math.max(idleMs ?? remainingMs / 20, shortestMs), LONGEST_WAIT_MS)
  }

  #backoffMs(error: unknown): number {
    const growingMs = Math.min(FIRST_BACKOFF_MS * 2 ** this.#failures++, LONGEST_BACKOFF_MS)
    const retryAfterMs = error instanceof TokenRequestError ? (error.retryAfterMs ?? 0) : 0
    return Math.max(growingMs, retryAfterMs) * (1 + this.#options.random() / 4)
  }
}
