import type { TokenUsed } from '../../events'
import type { EventEmitter, Observation } from '../util/event-emitter'
import { type CacheEntry, remaining } from './cache-entry'

/** Reports each use of a token, while anyone counts them. */
export class TokenUses {
  readonly #events: EventEmitter
  readonly #observation: Observation

  constructor(events: EventEmitter) {
    this.#events = events
    this.#observation = events.observation('tokenUsed')
  }

  /** Read before each report: a use that nobody counts costs nothing more. */
  get isObserved(): boolean {
    return this.#observation.isObserved
  }

  /** A use of the token of an entry in this process. */
  reportCached(entry: CacheEntry, now: number): void {
    this.report({ client: entry.token.client, source: 'memory', remainingMs: remaining(entry, now) })
  }

  report(use: TokenUsed): void {
    this.#events.emit('tokenUsed', use)
  }
}
