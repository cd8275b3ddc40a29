import { type MemoryStore, memoryStore } from '@tokenward/store-memory'
import type { Clock } from '../../clock'
import type { TokenRequestError } from '../../errors'
import { copyError } from './copy-error'

const FIRST_COOLDOWN_MS = 500
const LONGEST_COOLDOWN_MS = 30_000
/** How long after its end a cooldown still makes the next one longer. */
const MEMORY_MS = 60_000
const MOST_FAILURES = 10_000

interface Entry {
  readonly error: TokenRequestError
  readonly lengthMs: number
  /** In milliseconds of the monotonic clock. */
  readonly until: number
  /** The cooldown is over, and one caller finds out whether the failure repeats. */
  readonly isTried?: boolean
}

/**
 * Remembers failures that will repeat, such as a wrong secret or an unknown scope. For a time that doubles from 0.5 s to 30 s
 * each call gets the remembered error, and the endpoint gets no request.
 */
export class Cooldowns {
  readonly #clock: Clock
  /** Created at the first failure, because most processes never see one, and it takes memory for all its entries. */
  #entries: MemoryStore<Entry> | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The remembered error while the cooldown lasts, and while somebody tries again. */
  errorFor(key: string): TokenRequestError | undefined {
    const entry = this.#entries?.get(key)
    if (!entry) return undefined
    const leftMs = Math.ceil(entry.until - this.#clock.monotonic())
    if (leftMs <= 0 && !entry.isTried) return undefined
    return copyError(entry.error, { retryAfterMs: leftMs > 0 ? leftMs : FIRST_COOLDOWN_MS })
  }

  /** Starts a cooldown after a failure; each one in a row is twice as long as the one before, unless `grows` is false. */
  start(key: string, error: TokenRequestError, grows = true): void {
    const before = grows ? this.#entries?.get(key) : undefined
    const doubledMs = before ? Math.min(before.lengthMs * 2, LONGEST_COOLDOWN_MS) : FIRST_COOLDOWN_MS
    const now = this.#clock.monotonic()
    // A failure of a request that went out before the cooldown began says nothing new.
    const isKnown = before !== undefined && now < before.until && !before.isTried
    const lengthMs = isKnown ? before.lengthMs : doubledMs
    const until = now + Math.max(lengthMs, error.retryAfterMs ?? 0)
    this.#keep(key, { error, lengthMs, until: isKnown ? Math.max(before.until, until) : until })
  }

  /** One caller tries again after a cooldown; until {@link endTrial} the others get the remembered error. */
  beginTrial(key: string): void {
    const entry = this.#entries?.get(key)
    if (entry) this.#keep(key, { ...entry, isTried: true })
  }

  endTrial(key: string): void {
    const entry = this.#entries?.get(key)
    if (entry?.isTried) this.#keep(key, { ...entry, isTried: false })
  }

  /** The failure did not repeat. */
  reset(key: string): void {
    this.#entries?.delete(key)
  }

  #keep(key: string, entry: Entry): void {
    const leftMs = Math.max(0, entry.until - this.#clock.monotonic())
    this.#entries ??= memoryStore({ maxEntries: MOST_FAILURES, now: this.#clock.monotonic })
    this.#entries.set(key, entry, leftMs + MEMORY_MS)
  }
}
