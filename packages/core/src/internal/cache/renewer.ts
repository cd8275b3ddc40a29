import type { Clock } from '../../clock'
import type { CacheGetOptions, LoadedToken } from '../../token-cache'
import type { StoreLease } from '../../token-store'
import type { LookupResult, StoreLookup } from '../store/lookup'
import type { ProbeTurns } from '../store/probe-turns'
import { sharedFailure } from '../store/shared-failure'
import type { StoreAccess } from '../store/store-access'
import type { StoredToken } from '../store/store-entry'
import type { Emit } from '../util/event-emitter'
import { type CacheEntry, isOlder, isUsable, renewalBackoffMs } from './cache-entry'
import type { FailingTokens } from './failing-tokens'
import type { Flight } from './flights'
import type { LocalCache } from './local-cache'

/**
 * A lease outlives the time limit of the token request that it is for, but only by a little: other processes wait for it when its
 * holder dies.
 */
export const LEASE_MARGIN_MS = 1_000
/** How often a token that is expired when it comes is requested again. */
const RETRIES = 2

/** Whether a token that another caller or process got can be used. */
export type Accepts = (entry: CacheEntry) => boolean

/** What a renewal needs while it runs. */
export interface RenewalContext {
  readonly key: string
  readonly options: CacheGetOptions
  readonly flight: Flight
  /** The token that callers use meanwhile, because it is still valid. */
  readonly current: CacheEntry | undefined
}

/** A store, and how tokens are looked up in it. */
export interface CacheStore {
  readonly access: StoreAccess
  readonly lookup: StoreLookup
  readonly probeTurns: ProbeTurns
}

export interface RenewerOptions {
  readonly clock: Clock
  readonly random: () => number
  readonly emit: Emit
  readonly local: LocalCache
  readonly failing: FailingTokens
  readonly store: CacheStore | undefined
}

/** Ends a token request: another process has renewed the token while this one waited for its retry. */
class FoundMeanwhile extends Error {
  readonly entry: CacheEntry

  constructor(entry: CacheEntry) {
    super('another process has renewed the token')
    this.entry = entry
  }
}

/** What a flight ends with. Without `lease`, another process may be renewing, or there is no store. */
interface Completed {
  readonly entry: CacheEntry
  readonly lease?: StoreLease | undefined
}

/** What happens in a flight: the store is asked, the token is loaded, kept, and written to the store. */
export class Renewer {
  readonly #clock: Clock
  readonly #random: () => number
  readonly #emit: Emit
  readonly #local: LocalCache
  readonly #failing: FailingTokens
  readonly #store: StoreAccess | undefined
  readonly #lookup: StoreLookup | undefined
  readonly #probeTurns: ProbeTurns | undefined

  constructor({ clock, random, emit, local, failing, store }: RenewerOptions) {
    this.#clock = clock
    this.#random = random
    this.#emit = emit
    this.#local = local
    this.#failing = failing
    this.#store = store?.access
    this.#lookup = store?.lookup
    this.#probeTurns = store?.probeTurns
  }

  /** Renews the token, unless another process has done so. */
  async renew(context: RenewalContext, accepts: Accepts): Promise<CacheEntry> {
    return this.#complete(context, await this.#find(context, accepts), accepts)
  }

  /** Asks the store whether the token is still there, because another process may have deleted or replaced it. */
  async revalidate(context: RenewalContext, entry: CacheEntry): Promise<CacheEntry> {
    const { key, options, flight } = context
    void this.#store?.release(key, entry.lease)
    const accepts: Accepts = (other) => {
      // A token that could not be written does not give way to an older one. Nor does one that was written, and that the store has lost.
      const mayReplace =
        other.token.value === entry.token.value ||
        (entry.isShared ? !isOlder(other, entry) : other.expiresAt > entry.expiresAt)
      return mayReplace && isUsable(other, this.#clock.monotonic(), options)
    }
    const result = await this.#find(context, accepts)
    const lease = result.state === 'missing' ? result.lease : undefined
    // A caller that came to wait meanwhile needs another token, whatever the store says.
    const mustComplete = flight.waiting > 0
    if (flight.invalidated || (result.state === 'unavailable' && !mustComplete)) {
      void this.#store?.release(key, lease)
      return this.#local.noteShared(key, entry, entry.isShared, entry.lease)
    }
    if (result.state === 'found' && result.value.token.value === entry.token.value) {
      return this.#local.noteShared(key, entry, true)
    }
    // The token may have been deleted long ago while this process was idle: then it must not come back.
    const wasNeverWritten = !entry.isShared && this.#local.get(key) === entry && !this.#local.isLongOverdue(entry)
    if (result.state !== 'missing' || !wasNeverWritten) return this.#complete(context, result, accepts)
    const written = this.#local.noteShared(key, entry, true)
    this.#writeBack(context, written, lease)
    return written
  }

  /** Ends a flight with the token of the store, or with a new one of the endpoint. */
  async #complete(context: RenewalContext, result: LookupResult<CacheEntry>, accepts: Accepts): Promise<CacheEntry> {
    const { key, flight } = context
    const { entry, lease } =
      result.state === 'found' ? { entry: result.value, lease: undefined } : await this.#load(context, result, accepts)
    if (flight.invalidated) {
      void this.#store?.release(key, lease)
      this.#emitRetrieved(flight, entry)
      return entry
    }
    // Before the event, so that its listeners find the new token.
    this.#local.keep(key, entry)
    this.#emitRetrieved(flight, entry)
    this.#failing.recover(key)
    if (entry.source === 'endpoint') this.#writeBack(context, entry, lease)
    return entry
  }

  async #load(context: RenewalContext, result: LookupResult<CacheEntry>, accepts: Accepts): Promise<Completed> {
    const { key, options, flight, current } = context
    const { loader, endpointKey } = options
    const { failure } = result.state === 'missing' ? result : {}
    let { lease, leaseEndsAt = 0 } = result.state === 'missing' ? result : {}
    const { signal } = flight.controller
    const isAwaited = () => flight.waiting > 0
    const turns = this.#probeTurns
    /** The lease is as long as one request. It is got again for a retry that could take longer, in turn with other processes. */
    const beforeRetry = async () => {
      const endsAt = this.#clock.monotonic() + options.leaseMs - LEASE_MARGIN_MS
      if (!lease || endsAt <= leaseEndsAt) return
      const ended = lease
      lease = undefined
      await this.#store?.release(key, ended)
      const again = await this.#find(context, accepts)
      if (again.state === 'found') throw new FoundMeanwhile(again.value)
      if (again.state === 'missing') ({ lease, leaseEndsAt = 0 } = again)
    }
    let isRequesting = false
    try {
      signal.throwIfAborted()
      if (failure && !failure.aheadOnly) loader.openCircuit(failure.error)
      else if (failure && !isAwaited()) throw failure.error
      isRequesting = loader.circuitError() === undefined
      const probeTurn = async () => {
        const end = await turns?.take(endpointKey)
        if (!end) isRequesting = false
        return end
      }
      const claims = isRequesting ? this.#local.takeClaims(key) : undefined
      const load = { signal, isAwaited, beforeRetry, ...(turns && { probeTurn }), reason: flight.reason, claims }
      let loaded = await loader.load(load)
      // It expired on its way: the machine was suspended, or the endpoint is slower than its tokens live. The next may be better.
      for (let turn = 0; turn < RETRIES && loaded.lifetimeMs > 0 && this.#remainingMs(loaded) <= 0; turn++) {
        loaded = await loader.load(load)
      }
      flight.isNew = true
      const { token, lifetimeMs, refreshInMs } = loaded
      const times = { lifetimeMs, remainingMs: this.#remainingMs(loaded), refreshInMs }
      return { entry: this.#local.create(token, 'endpoint', times), lease }
    } catch (error) {
      if (error instanceof FoundMeanwhile) return { entry: error.entry }
      const now = this.#clock.monotonic()
      const kept = this.#local.get(key)
      // A forced renewal that fails changes nothing for the calls that use the current token.
      const isForcedOnly = flight.forced && kept !== undefined && now < kept.renewAt
      if (!isForcedOnly) this.#failing.note(key, error, kept)
      const backoffMs = current && renewalBackoffMs(current, error, now, this.#random())
      const shared = lease && isRequesting ? sharedFailure(error, loader.circuitError(), backoffMs) : undefined
      void this.#store?.release(key, lease, shared && this.#store.shareFailure(endpointKey, shared))
      throw error
    }
  }

  /** Counted from the request: the server may have issued the token at once. */
  #remainingMs({ lifetimeMs, requestedAt }: LoadedToken): number {
    return lifetimeMs - (this.#clock.monotonic() - requestedAt)
  }

  /** A token of the store that can be used, or the lease to renew it. */
  async #find({ key, options, flight }: RenewalContext, accepts: Accepts): Promise<LookupResult<CacheEntry>> {
    if (!this.#lookup) return { state: 'unavailable' }
    const { client, isBound, mayBeNA, group, endpointKey, loader } = options
    const accept = ({ token, ...times }: StoredToken) => {
      const entry = this.#local.create(token, 'store', times)
      return accepts(entry) ? entry : undefined
    }
    // No lease while the circuit is open.
    const leaseMs = loader.circuitError() ? undefined : options.leaseMs
    const { forced, controller } = flight
    const expected = { key, client, isBound, mayBeNA, group, endpointKey }
    return this.#lookup.find({ ...expected, accept, leaseMs, forced, signal: controller.signal })
  }

  /** Writes a token to the store. No caller waits for that. */
  #writeBack({ key, options }: RenewalContext, entry: CacheEntry, lease: StoreLease | undefined): void {
    const remainingMs = entry.expiresAt - this.#clock.monotonic()
    if (remainingMs < 1) void this.#store?.release(key, lease)
    // Another process may hold the lease: without it, a write might overwrite a newer token.
    else if (this.#store?.canLease && !lease) this.#local.noteShared(key, entry, false)
    else void this.#write(key, options.group, entry, remainingMs, lease)
  }

  async #write(key: string, group: string, entry: CacheEntry, remainingMs: number, lease: StoreLease | undefined) {
    const outcome = await this.#store?.write(key, group, entry, remainingMs, lease)
    if (outcome === 'failed') this.#local.noteShared(key, entry, false, lease)
    // Another process has a newer token, or the token was deleted while it was requested.
    if (outcome === 'superseded') this.#local.change(key, entry, { revalidateAt: this.#clock.monotonic() })
  }

  #emitRetrieved({ startedAt, reason }: Flight, entry: CacheEntry): void {
    const { token, source, lifetimeMs, expiresAt: expiry } = entry
    const { client } = token
    const now = this.#clock.monotonic()
    const expiresAt = token.expiresAt ?? new Date(this.#clock.now() + expiry - now)
    this.#emit('tokenRetrieved', { client, source, reason, durationMs: now - startedAt, expiresAt, lifetimeMs })
  }
}
