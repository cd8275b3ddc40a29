import { type MemoryStore, memoryStore } from '@tokenward/store-memory'

const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 30_000
/** A key whose tokens were not rejected for this long starts afresh. */
const FORGIVEN_AFTER_MS = 60_000

/**
 * How often a token may be renewed because an API rejected it: at once, and then after a pause that doubles. An API
 * that rejects whatever it is shown must not turn into a storm at the token endpoint.
 */
export class RejectionLimit {
  /** Made when a token is first rejected, which may be never. */
  #pauses: MemoryStore<{ pauseMs: number; until: number }> | undefined
  readonly #maxEntries: number
  readonly #now: () => number

  constructor(maxEntries: number, now: () => number) {
    this.#maxEntries = maxEntries
    this.#now = now
  }

  /** Whether a rejected token may be replaced now; when it may, the pause before the next time begins. */
  admit(key: string): boolean {
    this.#pauses ??= memoryStore({ maxEntries: this.#maxEntries, now: this.#now })
    const now = this.#now()
    const last = this.#pauses.get(key)
    const admitted = !last || now >= last.until
    const pauseMs = last ? Math.min(last.pauseMs * 2, LONGEST_PAUSE_MS) : FIRST_PAUSE_MS
    const next = last && !admitted ? last : { pauseMs, until: now + pauseMs }
    this.#pauses.set(key, next, FORGIVEN_AFTER_MS)
    return admitted
  }
}
