import type { Clock } from '../../clock'
import { TokenRequestError } from '../../errors'
import { copyError } from '../endpoint/copy-error'
import type { Emit } from '../util/event-emitter'
import type { CacheEntry } from './cache-entry'
import { KeysByClient } from './keys-by-client'

/** A failure is forgotten after this long without another one. */
const MEMORY_MS = 3_600_000

/** The last failure to get a token. */
export interface TokenFailure {
  readonly client: string
  /** Without the error of a supplier, which may say anything. */
  readonly error: TokenRequestError
  /** When it happened, in milliseconds since 1970. */
  readonly at: number
  /** The same by the monotonic clock. */
  readonly notedAt: number
  /** When the first failure in a row happened, by the monotonic clock. */
  readonly since: number
  /** Whether calls went on with a valid token. */
  readonly hadToken: boolean
}

/** The tokens that cannot be had at present. Reports each once, and again when its state changes. */
export class FailingTokens {
  readonly #clock: Clock
  readonly #emit: Emit
  readonly #maxEntries: number
  /** By key, the oldest first. */
  readonly #failures = new Map<string, TokenFailure>()
  readonly #keys = new KeysByClient()
  /** How many failures are alike, by what makes them so. */
  readonly #alike = new Map<string, number>()

  constructor(clock: Clock, emit: Emit, maxEntries: number) {
    this.#clock = clock
    this.#emit = emit
    this.#maxEntries = maxEntries
  }

  /** The token could not be retrieved. @param entry the token that this process has, if any */
  note(key: string, thrown: unknown, entry: CacheEntry | undefined): void {
    if (!(thrown instanceof TokenRequestError) || thrown.error === 'closed') return
    const now = this.#clock.monotonic()
    this.#forgetOld(now)
    const { client } = thrown
    const last = this.#failures.get(key)
    const hadToken = entry !== undefined && now < entry.expiresAt
    const error = copyError(thrown, { cause: undefined })
    const failure = { client, error, at: this.#clock.now(), notedAt: now, since: last?.since ?? now, hadToken }
    this.forget(key)
    const isFirst = !this.#alike.has(likeness(failure))
    this.#add(key, failure)
    if (last && likeness(last) === likeness(failure)) return
    if (hadToken)
      this.#emit('renewalFailed', {
        client,
        error,
        expiresAt: new Date(this.#clock.now() + entry.expiresAt - now),
        isFirst,
      })
    else this.#emit('tokenUnavailable', { client, error, isFirst })
  }

  /** A token was retrieved. */
  recover(key: string): void {
    const now = this.#clock.monotonic()
    this.#forgetOld(now)
    const failure = this.#failures.get(key)
    if (!failure) return
    this.forget(key)
    const { client, since } = failure
    this.#emit('tokenRecovered', { client, failedForMs: now - since, isLast: this.#keys.count(client) === 0 })
  }

  get(key: string): TokenFailure | undefined {
    this.#forgetOld(this.#clock.monotonic())
    return this.#failures.get(key)
  }

  /** The keys of a client's failing tokens. */
  keysOf(client: string): string[] {
    this.#forgetOld(this.#clock.monotonic())
    return this.#keys.of(client)
  }

  forget(key: string): void {
    const failure = this.#failures.get(key)
    if (!failure) return
    this.#failures.delete(key)
    this.#keys.remove(failure.client, key)
    const kind = likeness(failure)
    const others = (this.#alike.get(kind) ?? 1) - 1
    if (others > 0) this.#alike.set(kind, others)
    else this.#alike.delete(kind)
  }

  #add(key: string, failure: TokenFailure): void {
    this.#failures.set(key, failure)
    this.#keys.add(failure.client, key)
    const kind = likeness(failure)
    this.#alike.set(kind, (this.#alike.get(kind) ?? 0) + 1)
    this.#forgetOld(failure.notedAt)
  }

  /** Also those that are too many. */
  #forgetOld(now: number): void {
    for (const [key, { notedAt }] of this.#failures) {
      if (now - notedAt < MEMORY_MS && this.#failures.size <= this.#maxEntries) return
      this.forget(key)
    }
  }
}

/** Failures of one outage change between timeouts, refused connections and 5xx. That is no news. */
function likeness({ client, hadToken, error }: TokenFailure): string {
  return JSON.stringify([client, hadToken, error.retryable || error.error])
}
