import { type MemoryStore, memoryStore } from '@tokenward/store-memory'
import type { Clock } from '../../clock'
import { TokenRequestError } from '../../errors'
import { copyError } from '../endpoint/copy-error'
import type { Emit } from '../util/event-emitter'
import type { CacheEntry } from './cache-entry'

/** A failure is forgotten after this long without another one. */
const MEMORY_MS = 3_600_000

/** The last failure to get a token. */
export interface TokenFailure {
  readonly client: string
  /** Without the error of a supplier, which may say anything. */
  readonly error: TokenRequestError
  /** When it happened, in milliseconds since 1970. */
  readonly at: number
  /** When the first failure in a row happened, in milliseconds of the monotonic clock. */
  readonly since: number
  /** Whether calls went on with a valid token. */
  readonly hadToken: boolean
}

/** The tokens that cannot be had at present. Reports each once, and again when its state changes. */
export class FailingTokens {
  readonly #clock: Clock
  readonly #emit: Emit
  readonly #maxEntries: number
  /** Created at the first failure, because most processes never see one. */
  #failures: MemoryStore<TokenFailure> | undefined

  constructor(clock: Clock, emit: Emit, maxEntries: number) {
    this.#clock = clock
    this.#emit = emit
    this.#maxEntries = maxEntries
  }

  /** The token could not be retrieved. @param entry the token that this process has, if any */
  note(key: string, thrown: unknown, entry: CacheEntry | undefined): void {
    if (!(thrown instanceof TokenRequestError) || thrown.error === 'closed') return
    const now = this.#clock.monotonic()
    const { client } = thrown
    const last = this.#failures?.get(key)
    const hadToken = entry !== undefined && now < entry.expiresAt
    const error = copyError(thrown, { cause: undefined })
    const failure = { client, error, at: this.#clock.now(), since: last?.since ?? now, hadToken }
    const isFirst = !this.#hasOther(key, (other) => isAlike(other, failure))
    this.#failures ??= memoryStore({ maxEntries: this.#maxEntries, now: this.#clock.monotonic })
    this.#failures.set(key, failure, MEMORY_MS)
    if (last && isAlike(last, failure)) return
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
    const failure = this.#failures?.get(key)
    if (!failure) return
    this.#failures?.delete(key)
    const { client, since } = failure
    const isLast = !this.#hasOther(key, (other) => other.client === client)
    this.#emit('tokenRecovered', { client, failedForMs: this.#clock.monotonic() - since, isLast })
  }

  get(key: string): TokenFailure | undefined {
    return this.#failures?.get(key)
  }

  /** The keys of a client's failing tokens. */
  keysOf(client: string): string[] {
    return [...(this.#failures?.entries() ?? [])].filter(([, failure]) => failure.client === client).map(([key]) => key)
  }

  #hasOther(key: string, matches: (failure: TokenFailure) => boolean): boolean {
    for (const [other, failure] of this.#failures?.entries() ?? []) if (other !== key && matches(failure)) return true
    return false
  }

  forget(key: string): void {
    this.#failures?.delete(key)
  }
}

/** Failures of one outage change between timeouts, refused connections and 5xx. That is no news. */
function isAlike(a: TokenFailure, b: TokenFailure): boolean {
  const isSameError = a.error.retryable === b.error.retryable && (a.error.retryable || a.error.error === b.error.error)
  return a.client === b.client && a.hadToken === b.hadToken && isSameError
}
