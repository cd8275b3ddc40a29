import type { AccessToken } from '../../access-token'
import type { Clock } from '../../clock'
import type { CacheGetOptions, RejectOptions, TokenCache } from '../../token-cache'
import type { StoreAccess } from '../store/store-access'
import { untilAborted } from '../util/abort'
import type { Emit } from '../util/event-emitter'
import { type CacheEntry, isUsable, renewalBackoffMs } from './cache-entry'
import { type Flight, Flights } from './flights'
import { isStillValid, shouldRenew } from './freshness'
import { LocalCache } from './local-cache'
import { RejectionLimit } from './rejection-limit'
import { type Accepts, type CacheStore, type RenewalContext, Renewer } from './renewer'

/** How long a caller whose token is still valid waits for its renewal. */
const PATIENCE_MS = 1_000

export interface FreshTokenCacheOptions {
  readonly clock: Clock
  readonly random: () => number
  readonly emit: Emit
  readonly maxEntries: number
  readonly store: CacheStore | undefined
  /** How long an entry is used before the store is asked whether it still has the token, in milliseconds. */
  readonly localLifetimeMs: number
}

/** The token cache of a manager that was not given another one. */
export class FreshTokenCache implements TokenCache {
  readonly #clock: Clock
  readonly #random: () => number
  readonly #emit: Emit
  readonly #store: StoreAccess | undefined
  readonly #local: LocalCache
  readonly #rejections: RejectionLimit
  readonly #flights: Flights
  readonly #renewer: Renewer

  constructor({ clock, random, emit, maxEntries, store, localLifetimeMs }: FreshTokenCacheOptions) {
    this.#clock = clock
    this.#random = random
    this.#emit = emit
    this.#store = store?.access
    // Without a store, there is nothing to revalidate with.
    const lifetimeMs = store ? localLifetimeMs : Number.POSITIVE_INFINITY
    this.#local = new LocalCache({ clock, random, maxEntries, localLifetimeMs: lifetimeMs })
    this.#rejections = new RejectionLimit(maxEntries, () => clock.monotonic())
    this.#flights = new Flights(clock)
    this.#renewer = new Renewer({ clock, random, emit, local: this.#local, store })
  }

  async get(key: string, options: CacheGetOptions): Promise<AccessToken> {
    options.signal?.throwIfAborted()
    this.#flights.throwIfClosed(options.client)
    const entry = this.#local.get(key)
    if (entry && !options.forceRenewal && this.#isUsable(entry, options)) {
      this.#maintain(key, entry, options)
      return entry.token
    }
    // The store may hold the very token that cannot be used. This process knows more about it than the stored times say.
    const accepts: Accepts = (other) => other.token.value !== entry?.token.value && this.#isUsable(other, options)
    return this.#wait(key, options, accepts, options.forceRenewal ? undefined : entry)
  }

  reject(key: string, token: AccessToken, { wasAccepted = false }: RejectOptions = {}): boolean {
    const willRenew = this.#rejectEntry(key, token, wasAccepted)
    this.#emit('tokenRejected', { client: token.client, willRenew })
    return willRenew
  }

  #rejectEntry(key: string, token: AccessToken, wasAccepted: boolean): boolean {
    const entry = this.#local.get(key)
    if (entry && (entry.token.value !== token.value || entry.state === 'rejected')) return true
    if (!this.#rejections.tryRenew(key, wasAccepted)) return this.#flights.has(key)
    // Remembered also when the entry is gone: the store may still hold the same token. Nobody knows how long it is valid.
    const rejected = entry ?? this.#local.create(token, 'store', { lifetimeMs: 0, remainingMs: 0 })
    this.#local.keep(key, { ...rejected, state: 'rejected' })
    return true
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

  forget(client: string): void {
    for (const key of this.#keysOf(client)) this.#forget(key)
  }

  #forget(key: string): void {
    this.#local.delete(key)
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

  /**
   * Waits for a new token: of the flight that is under way if its token can be used, else of one of its own. A caller whose
   * current token is still valid gets that one when the renewal fails or takes long.
   */
  async #wait(
    key: string,
    options: CacheGetOptions,
    accepts: Accepts,
    current: CacheEntry | undefined,
  ): Promise<AccessToken> {
    for (;;) {
      const isValid = current !== undefined && isStillValid(current, this.#clock.monotonic(), options)
      const circuitError = options.loader.circuitError()
      const running = this.#flights.get(key)
      if (circuitError && isValid) {
        // Another process may have renewed the token: look into the store, but let nobody wait for it.
        if (!running) this.#renewAhead(key, current, options)
        return current.token
      }
      if (circuitError && running) throw circuitError
      const flight =
        running ??
        this.#start(key, options, isValid ? current : undefined, (context) => this.#renewer.renew(context, accepts))
      try {
        const entry = await this.#join(flight, options, isValid ? current : undefined)
        const isAnswer = entry && (!running || flight.isNew || (!options.forceRenewal && accepts(entry)))
        if (isAnswer) return entry.token
      } catch (error) {
        options.signal?.throwIfAborted()
        this.#flights.throwIfClosed(options.client)
        if (!current || !isStillValid(current, this.#clock.monotonic(), options)) throw error
        return current.token
      }
      if (isValid && isStillValid(current, this.#clock.monotonic(), options) && this.#flights.get(key) === flight) {
        return current.token
      }
      this.#flights.throwIfClosed(options.client)
    }
  }

  /** The entry of the flight; undefined when the caller cannot use it, or did not wait for its end. */
  async #join(
    flight: Flight,
    { signal }: CacheGetOptions,
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
    const now = this.#clock.monotonic()
    const patienceMs = current && Math.max(0, Math.min(flight.startedAt + PATIENCE_MS, current.expiresAt) - now)
    return patienceMs === 0 ? undefined : this.#flights.join(flight, signal, patienceMs)
  }

  /** Starts in the background what is due while callers use the token. */
  #maintain(key: string, entry: CacheEntry, options: CacheGetOptions): void {
    const now = this.#clock.monotonic()
    if (shouldRenew(entry, now)) {
      if (!options.loader.circuitError()) this.#renewAhead(key, entry, options)
    } else if (now >= entry.revalidateAt && now >= entry.renewNotBefore && !this.#flights.has(key)) {
      this.#startAhead(key, entry, options, (context) => this.#renewer.revalidate(context, entry))
    }
  }

  #renewAhead(key: string, entry: CacheEntry, options: CacheGetOptions): void {
    if (this.#clock.monotonic() < entry.renewNotBefore || this.#flights.has(key)) return
    this.#emit('renewalStarted', { client: options.client })
    const isNewer: Accepts = (other) =>
      other.token.value !== entry.token.value && !shouldRenew(other, this.#clock.monotonic())
    this.#startAhead(key, entry, options, (context) => this.#renewer.renew(context, isNewer))
  }

  #startAhead(
    key: string,
    entry: CacheEntry,
    options: CacheGetOptions,
    run: (context: RenewalContext) => Promise<CacheEntry>,
  ): void {
    this.#start(key, { ...options, forceRenewal: false }, entry, run).result.catch((error: unknown) => {
      const now = this.#clock.monotonic()
      const renewNotBefore = now + renewalBackoffMs(entry, error, now, this.#random())
      this.#local.change(key, entry, { renewNotBefore })
    })
  }

  #start(
    key: string,
    options: CacheGetOptions,
    current: CacheEntry | undefined,
    run: (context: RenewalContext) => Promise<CacheEntry>,
  ): Flight {
    const { client, forceRenewal = false } = options
    const flightOptions = { client, forced: forceRenewal, isRenewal: current !== undefined }
    return this.#flights.start(key, flightOptions, (flight) => run({ key, options, flight, current }))
  }
}
