import type { Clock } from '../../clock'
import type { RetrievalReason } from '../../events'
import type { CacheGetOptions } from '../../token-cache'
import type { AcquisitionHooks } from '../util/acquisition-hooks'
import type { Emit } from '../util/event-emitter'
import { type CacheEntry, isOlder, remaining, renewalBackoffMs, retrievalReason } from './cache-entry'
import type { FailingTokens } from './failing-tokens'
import type { Flight, Flights } from './flights'
import { shouldRenew } from './freshness'
import type { LocalCache } from './local-cache'
import { type Accepts, type CacheStore, type RenewalContext, Renewer } from './renewer'

export interface RenewalsOptions {
  readonly clock: Clock
  readonly random: () => number
  readonly emit: Emit
  readonly hooks: AcquisitionHooks
  readonly local: LocalCache
  readonly flights: Flights
  readonly failing: FailingTokens
  readonly store: CacheStore | undefined
}

/** Starts the flights of a cache: those that callers wait for, and those in the background. */
export class Renewals {
  readonly #options: RenewalsOptions
  readonly #clock: Clock
  readonly #flights: Flights
  readonly #renewer: Renewer

  constructor(options: RenewalsOptions) {
    this.#options = options
    this.#clock = options.clock
    this.#flights = options.flights
    this.#renewer = new Renewer(options)
  }

  /** Starts the flight of a caller that waits. @param valid the token that callers use meanwhile, if it is still valid */
  start(
    key: string,
    options: CacheGetOptions,
    accepts: Accepts,
    valid: CacheEntry | undefined,
    reason: RetrievalReason,
  ): Flight {
    return this.#start(key, options, valid, reason, (context) => this.#renewer.renew(context, accepts))
  }

  /** Starts in the background what is due while callers use the token. */
  maintain(key: string, entry: CacheEntry, options: CacheGetOptions): void {
    const now = this.#clock.monotonic()
    if (shouldRenew(entry, now)) {
      const circuitError = options.loader.circuitError()
      if (circuitError) this.#options.failing.note(key, circuitError, entry)
      else this.renewAhead(key, entry, options)
    } else if (now >= entry.revalidateAt && now >= entry.renewNotBefore && !this.#flights.has(key)) {
      this.#startAhead(key, entry, options, 'replaced', (context) => this.#renewer.revalidate(context, entry))
    }
  }

  /** Renews the token in the background, unless that is under way or has failed shortly before. */
  renewAhead(key: string, entry: CacheEntry, options: CacheGetOptions): void {
    const now = this.#clock.monotonic()
    if (now < entry.renewNotBefore || this.#flights.has(key)) return
    this.#options.emit('renewalStarted', { client: options.client })
    const isNewer: Accepts = (other) =>
      other.token.value !== entry.token.value && !isOlder(other, entry) && !shouldRenew(other, this.#clock.monotonic())
    const renew = (context: RenewalContext) => this.#renewer.renew(context, isNewer)
    this.#startAhead(key, entry, options, retrievalReason(entry, now), renew)
  }

  #startAhead(
    key: string,
    entry: CacheEntry,
    options: CacheGetOptions,
    reason: RetrievalReason,
    run: (context: RenewalContext) => Promise<CacheEntry>,
  ): void {
    const { hooks, local, random } = this.#options
    const result = hooks.run(
      { client: options.client, reason, isBackground: true },
      (found) => ({ source: found.source, remainingMs: remaining(found, this.#clock.monotonic()) }),
      () => this.#start(key, { ...options, forceRenewal: false }, entry, reason, run).result,
    )
    result.catch((error: unknown) => {
      const now = this.#clock.monotonic()
      const renewNotBefore = now + renewalBackoffMs(entry, error, now, random())
      local.change(key, entry, { renewNotBefore })
    })
  }

  #start(
    key: string,
    options: CacheGetOptions,
    current: CacheEntry | undefined,
    reason: RetrievalReason,
    run: (context: RenewalContext) => Promise<CacheEntry>,
  ): Flight {
    const { client, forceRenewal = false } = options
    const flightOptions = { client, forced: forceRenewal, isRenewal: current !== undefined, reason }
    return this.#flights.start(key, flightOptions, (flight) => run({ key, options, flight, current }))
  }
}
