import type { AccessToken } from '../../access-token'
import type { Clock } from '../../clock'
import type { RetrievalReason, TokenUsed } from '../../events'
import type { CacheGetOptions, RejectOptions, TokenCache, TokenWindow } from '../../token-cache'
import type { TokenStatus } from '../../token-status'
import type { StoreAccess } from '../store/store-access'
import { untilAborted } from '../util/abort'
import type { AcquisitionHooks } from '../util/acquisition-hooks'
import type { EventEmitter } from '../util/event-emitter'
import type { TurnTime } from '../util/turn-time'
import { type CacheEntry, isUsable, remaining, retrievalReason } from './cache-entry'
import { FailingTokens } from './failing-tokens'
import { type Flight, Flights } from './flights'
import { isStillValid } from './freshness'
import { LocalCache } from './local-cache'
import { Rejections } from './rejections'
import { Renewals } from './renewals'
import type { Accepts, CacheStore } from './renewer'
import { tokenStatuses } from './token-statuses'
import { TokenUses } from './token-uses'

/** How long a caller whose token is still valid waits for its renewal. */
const PATIENCE_MS = 1_000

export interface FreshTokenCacheOptions {
  readonly clock: Clock
  /** The same clock, for each use of a token. */
  readonly time: TurnTime
  readonly random: () => number
  readonly events: EventEmitter
  readonly hooks: AcquisitionHooks
  readonly maxEntries: number
  readonly store: CacheStore | undefined
  /** How long an entry is used before the store is asked whether it still has the token, in milliseconds. */
  readonly localLifetimeMs: number
}

/** The token cache of a manager that was not given another one. */
export class FreshTokenCache implements TokenCache {
  readonly #clock: Clock
  readonly #events: EventEmitter
  readonly #uses: TokenUses
  readonly #hooks: AcquisitionHooks
  readonly #store: StoreAccess | undefined
  readonly #local: LocalCache
  readonly #rejections: Rejections
  readonly #failing: FailingTokens
  readonly #flights: Flights
  readonly #renewals: Renewals

  constructor({ clock, time, random, events, hooks, maxEntries, store, localLifetimeMs }: FreshTokenCacheOptions) {
    this.#clock = clock
    this.#events = events
    this.#uses = new TokenUses(events)
    this.#hooks = hooks
    this.#store = store?.access
    // Without a store, there is nothing to revalidate with.
    const lifetimeMs = store ? localLifetimeMs : Number.POSITIVE_INFINITY
    const windows = { time, uses: this.#uses }
    this.#local = new LocalCache({ clock, random, maxEntries, localLifetimeMs: lifetimeMs, windows })
    this.#flights = new Flights(clock)
    this.#rejections = new Rejections({ clock, maxEntries, local: this.#local, flights: this.#flights })
    this.#failing = new FailingTokens(clock, events.emit, maxEntries)
    const { emit } = events
    const state = { local: this.#local, flights: this.#flights, failing: this.#failing }
    this.#renewals = new Renewals({ clock, random, emit, hooks, ...state, store })
  }

  async get(key: string, options: CacheGetOptions): Promise<AccessToken> {
    options.signal?.throwIfAborted()
    this.#flights.throwIfClosed(options.client)
    const entry = this.#local.get(key)
    if (entry && !options.forceRenewal && this.#isUsable(entry, options)) {
      this.#renewals.maintain(key, entry, options)
      return this.#used(entry, 'memory', options)
    }
    // The store may hold the very token that cannot be used. This process knows more about it than the stored times say.
    const accepts: Accepts = (other) => other.token.value !== entry?.token.value && this.#isUsable(other, options)
    const current = options.forceRenewal ? undefined : entry
    if (current && options.loader.circuitError() && this.#isValid(current, options)) {
      this.#renewals.renewAhead(key, current, options)
      return this.#used(current, 'memory', options)
    }
    const { client } = options
    const reason = this.#reasonFor(current, options)
    const found = await this.#hooks.run(
      { client, reason, isBackground: false },
      (result) => this.#describe(result, result === current ? 'memory' : result.source),
      () => this.#wait(key, options, accepts, current),
    )
    return this.#used(found, found === current ? 'memory' : found.source, options)
  }

  window(key: string, options: CacheGetOptions): TokenWindow | undefined {
    if (this.#flights.isClosed || options.forceRenewal || options.signal?.aborted) return undefined
    const entry = this.#local.get(key)
    const now = this.#clock.monotonic()
    if (!entry || !isUsable(entry, now, options)) return undefined
    this.#renewals.maintain(key, entry, options)
    return this.#local.openWindow(key, entry, now, options.expirationBufferMs)
  }

  #reasonFor(current: CacheEntry | undefined, { forceRenewal }: CacheGetOptions): RetrievalReason {
    return forceRenewal ? 'forced' : retrievalReason(current, this.#clock.monotonic())
  }

  #describe(entry: CacheEntry, source: TokenUsed['source']): Omit<TokenUsed, 'client'> {
    return { source, remainingMs: remaining(entry, this.#clock.monotonic()) }
  }

  #used(entry: CacheEntry, source: TokenUsed['source'], { client, keepsFresh }: CacheGetOptions): AccessToken {
    if (!keepsFresh && this.#uses.isObserved) this.#uses.report({ client, ...this.#describe(entry, source) })
    return entry.token
  }

  reject(key: string, token: AccessToken, options: RejectOptions = {}): boolean {
    const rejection = this.#rejections.reject(key, token, options)
    const { origin, reason } = options
    this.#events.emit('tokenRejected', { client: token.client, origin, reason, ...rejection })
    return rejection.willRenew
  }

  async delete(key: string): Promise<void> {
    this.#forget(key)
    await this.#store?.delete(key)
  }

  async clear(client?: string, group?: string): Promise<void> {
    const keys = [...this.#keysOf(client)]
    await Promise.all([...keys.map((key) => this.delete(key)), group && this.#store?.deleteGroup(group)])
  }

  held(client: string): readonly AccessToken[] {
    return this.#local.held(client)
  }

  status(client: string): readonly TokenStatus[] {
    return tokenStatuses(client, {
      clock: this.#clock,
      local: this.#local,
      flights: this.#flights,
      failing: this.#failing,
    })
  }

  idleMs(key: string): number | undefined {
    const entry = this.#local.get(key)
    if (!entry) return undefined
    const dueAt = Math.max(Math.min(entry.renewAt, entry.revalidateAt), entry.renewNotBefore)
    return entry.state === 'rejected' ? 0 : Math.max(0, dueAt - this.#clock.monotonic())
  }

  forget(client: string): void {
    for (const key of this.#keysOf(client)) this.#forget(key)
  }

  #forget(key: string): void {
    this.#local.delete(key)
    this.#failing.forget(key)
    const flight = this.#flights.get(key)
    if (flight) flight.invalidated = true
  }

  #keysOf(client: string | undefined): Set<string> {
    return new Set([...this.#local.keysOf(client), ...this.#flights.keysOf(client)])
  }

  async close(): Promise<void> {
    this.#local.close()
    await this.#flights.close()
    await this.#store?.settled()
  }

  #isUsable(entry: CacheEntry, options: CacheGetOptions): boolean {
    return isUsable(entry, this.#clock.monotonic(), options)
  }

  #isValid(entry: CacheEntry, options: CacheGetOptions): boolean {
    return isStillValid(entry, this.#clock.monotonic(), options)
  }

  /**
   * Waits for a new token: of the flight that is under way if its token can be used, else of one of its own. A caller whose
   * current token is still valid gets that one when the renewal fails or takes long.
   */
  async #wait(
    key: string,
    options: CacheGetOptions,
    accepts: Accepts,
    current: CacheEntry | undefined,
  ): Promise<CacheEntry> {
    for (;;) {
      const isValid = current !== undefined && this.#isValid(current, options)
      const circuitError = options.loader.circuitError()
      const running = this.#flights.get(key)
      if (circuitError && isValid) {
        // Another process may have renewed the token: look into the store, but let nobody wait for it.
        if (!running) this.#renewals.renewAhead(key, current, options)
        return current
      }
      if (circuitError && running) throw circuitError
      const valid = isValid ? current : undefined
      const flight = running ?? this.#renewals.start(key, options, accepts, valid, this.#reasonFor(current, options))
      try {
        const entry = await this.#join(flight, options, valid)
        const isAnswer = entry && (!running || flight.isNew || (!options.forceRenewal && accepts(entry)))
        if (isAnswer) return entry
      } catch (error) {
        options.signal?.throwIfAborted()
        this.#flights.throwIfClosed(options.client)
        if (!current || !this.#isValid(current, options)) throw error
        return current
      }
      if (isValid && this.#isValid(current, options) && this.#flights.get(key) === flight) return current
      this.#flights.throwIfClosed(options.client)
    }
  }

  /** The entry of the flight; undefined when the caller cannot use it, or did not wait for its end. */
  async #join(
    flight: Flight,
    { signal, insteadOf }: CacheGetOptions,
    current: CacheEntry | undefined,
  ): Promise<CacheEntry | undefined> {
    if (flight.invalidated) {
      // Its token was deleted. Wait until it has ended, so that the next flight can start.
      const ended = flight.result.then(
        () => undefined,
        () => undefined,
      )
      return untilAborted(ended, signal)
    }
    // A rejected token is of no use to the caller that got the 401.
    if (!current || current.token.value === insteadOf?.value) return this.#flights.join(flight, signal)
    const now = this.#clock.monotonic()
    const patienceMs = Math.max(0, Math.min(flight.startedAt + PATIENCE_MS, current.expiresAt) - now)
    return patienceMs === 0 ? undefined : this.#flights.join(flight, signal, patienceMs)
  }
}
