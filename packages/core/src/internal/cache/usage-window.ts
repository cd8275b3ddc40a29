import type { AccessToken } from '../../access-token'
import type { ReadyToken } from '../../token-cache'
import type { TurnTime } from '../util/turn-time'
import type { CacheEntry, EntryWindow } from './cache-entry'
import { isStillValid } from './freshness'
import type { TokenUses } from './token-uses'

/** A turn that is blocked for longer, by code or because the machine is suspended, may use a token for a few calls too long. */
const LONGEST_TURN_MS = 60_000

/** The place of an entry in a cache. */
interface Place {
  readonly value: CacheEntry
  /** Notes that what is there is used. */
  touch(): void
}

/** What the windows of one cache share. */
export interface WindowContext {
  readonly time: TurnTime
  readonly uses: TokenUses
}

/**
 * The time after a full check in which nothing is due for a token: each use is one comparison. It is the ready token that it
 * returns, and has whole numbers and no private methods, because there is one for each token: all of that needs memory.
 */
export class UsageWindow implements EntryWindow, ReadyToken {
  #promise: Promise<AccessToken> | undefined
  #place: Place | undefined
  readonly #context: WindowContext
  #closesAt = 0
  #exactFrom = 0

  /** @param place where the entry is in its cache: each use counts there */
  constructor(place: Place, context: WindowContext) {
    this.#promise = Promise.resolve(place.value.token)
    this.#place = place
    this.#context = context
  }

  // Undefined after the end, when `use` does not return the window any more.
  get token(): AccessToken {
    return (this.#place as Place).value.token
  }

  get promise(): Promise<AccessToken> {
    return this.#promise as Promise<AccessToken>
  }

  use(minValidityMs?: number | undefined): ReadyToken | undefined {
    const { time, uses } = this.#context
    const now = time.recent(minValidityMs === undefined ? this.#exactFrom : 0)
    const place = this.#place
    if (now >= this.#closesAt || place === undefined) return undefined
    if (minValidityMs !== undefined && !isStillValid(place.value, now, { minValidityMs })) return undefined
    place.touch()
    if (!uses.isObserved) return this
    uses.reportCached(place.value, now)
    // A listener may have ended the window.
    return this.#place && this
  }

  useAgain(): ReadyToken | undefined {
    const { time, uses } = this.#context
    return uses.isObserved || time.recent(this.#exactFrom) >= this.#closesAt ? this.use() : this
  }

  /** @param mustRenewAt when callers have to wait for a new token: near to it, each use reads the clocks */
  openUntil(closesAt: number, mustRenewAt: number): void {
    this.#closesAt = Math.floor(closesAt)
    this.#exactFrom = Math.floor(mustRenewAt - LONGEST_TURN_MS)
  }

  /** The entry is gone, or was changed. Nothing of it stays in memory while the window is still referred to. */
  end(): void {
    this.#closesAt = 0
    this.#exactFrom = 0
    this.#promise = undefined
    this.#place = undefined
  }
}
