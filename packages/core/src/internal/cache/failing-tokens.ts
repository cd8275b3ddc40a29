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
    const isKnown = last?.hadToken === hadToken && isAlike(last.error, thrown)
    const error = isKnown && thrown.cause === undefined ? thrown : copyError(thrown, { cause: undefined })
    this.#failures ??= memoryStore({ maxEntries: this.#maxEntries, now: this.#clock.monotonic })
    this.#failures.set(key, { client, error, at: this.#clock.now(), since: last?.since ?? now, hadToken }, MEMORY_MS)
    if (isKnown) return
    if (hadToken)
      this.#emit('renewalFailed', { client, error, expiresAt: new Date(this.#clock.now() + entry.expiresAt - now) })
    else this.#emit('tokenUnavailable', { client, error })
  }

  /** A token was retrieved. */
  recover(key: string): void {
    const failure = this.#failures?.get(key)
    if (!failure) return
    this.#failures?.delete(key)
    this.#emit('tokenRecovered', { client: failure.client, failedForMs: this.#clock.monotonic() - failure.since })
  }

  get(key: string): TokenFailure | undefined {
    return this.#failures?.get(key)
  }

  /** The keys of a client's failing tokens. */
  keysOf(client: string): string[] {
    return [...(this.#failures?.entries() ?? [])].filter(([, failure]) => failure.client === client).map(([key]) => key)
  }

  forget(key: string): void {
    this.#failures?.delete(key)
  }
}

/** Failures of one outage change between timeouts, refused connections and 5xx. That is no news. */
function isAlike(a: TokenRequestError, b: TokenRequestError): boolean {
  return a.retryable === b.retryable && (a.retryable || a.error === b.error)
}
