import type { ReadyToken } from '../../token-cache'
import type { TurnTime } from '../util/turn-time'
import { type CacheEntry, type EntryWindow, remaining } from './cache-entry'
import { isStillValid } from './freshness'
import type { TokenUses } from './token-uses'

/** A turn that is blocked for longer, by code or because the machine is suspended, may use a token for a few calls too long. */
const LONGEST_TURN_MS = 60_000

/** A place in a cache. */
interface Place {
  /** Notes that what is there is used. */
  touch(): void
}

/** What the windows of one cache share. */
export interface WindowContext {
  readonly time: TurnTime
  readonly uses: TokenUses
}

/** The time after a full check in which nothing is due for a token: each use is one comparison. */
export class UsageWindow implements EntryWindow {
  #ready: ReadyToken | undefined
  readonly #entry: CacheEntry
  readonly #place: Place
  readonly #context: WindowContext
  #closesAt = 0
  #exactFrom = 0

  /** @param place where the entry is in its cache: each use counts there */
  constructor(entry: CacheEntry, place: Place, context: WindowContext) {
    const { token } = entry
    this.#ready = { token, promise: Promise.resolve(token) }
    this.#entry = entry
    this.#place = place
    this.#context = context
  }

  use(minValidityMs?: number | undefined): ReadyToken | undefined {
    const { time, uses } = this.#context
    const now = time.recent(minValidityMs === undefined ? this.#exactFrom : 0)
    if (now >= this.#closesAt) return undefined
    if (minValidityMs !== undefined && !isStillValid(this.#entry, now, { minValidityMs })) return undefined
    this.#place.touch()
    if (uses.isObserved) this.#report(now)
    return this.#ready
  }

  #report(now: number): void {
    const { client } = this.#entry.token
    this.#context.uses.report({ client, source: 'memory', remainingMs: remaining(this.#entry, now) })
  }

  /** @param mustRenewAt when callers have to wait for a new token: near to it, each use reads the clocks */
  openUntil(closesAt: number, mustRenewAt: number): void {
    this.#closesAt = closesAt
    this.#exactFrom = mustRenewAt - LONGEST_TURN_MS
  }

  /** The entry is gone, or was changed. */
  end(): void {
    this.#closesAt = 0
    this.#exactFrom = 0
    this.#ready = undefined
  }
}
