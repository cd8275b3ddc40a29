import { type MemoryStore, memoryStore } from '@tokenward/store-memory'

const FIRST_COOLDOWN_MS = 1_000
const LONGEST_COOLDOWN_MS = 30_000
/** After this long without a rejection, a key starts again with the first cooldown. */
const RESET_AFTER_MS = 60_000

/**
 * Limits the renewals of a token because APIs reject it: one at once, and the next after a cooldown that doubles. An API that
 * rejects every token must not cause a storm at the token endpoint.
 */
export class RejectionLimit {
  /** Created at the first rejection, because most processes never see one. */
  #cooldowns: MemoryStore<{ cooldownMs: number; until: number }> | undefined
  readonly #maxEntries: number
  readonly #now: () => number

  constructor(maxEntries: number, now: () => number) {
    this.#maxEntries = maxEntries
    this.#now = now
  }

  /**
   * Whether a rejected token may be renewed now. If so, the cooldown before the next renewal starts.
   *
   * @param isFirst the API had accepted the token before, so its rejection counts as the first one
   */
  tryRenew(key: string, isFirst: boolean): boolean {
    this.#cooldowns ??= memoryStore({ maxEntries: this.#maxEntries, now: this.#now })
    const now = this.#now()
    const last = isFirst ? undefined : this.#cooldowns.get(key)
    const mayRenew = !last || now >= last.until
    const cooldownMs = last ? Math.min(last.cooldownMs * 2, LONGEST_COOLDOWN_MS) : FIRST_COOLDOWN_MS
    const next = last && !mayRenew ? last : { cooldownMs, until: now + cooldownMs }
    this.#cooldowns.set(key, next, RESET_AFTER_MS)
    return mayRenew
  }
}
