import type { AccessToken } from '../../access-token'
import type { Clock } from '../../clock'
import type { CacheGetOptions, TokenCache } from '../../token-cache'
import type { StoreLease } from '../../token-store'
import { pauseAfter } from '../store/shared-pause'
import type { Consulted, StoreAccess } from '../store/store-access'
import type { StoredToken } from '../store/store-entry'
import { untilAborted } from '../util/abort'
import type { Emit } from '../util/event-emitter'
import { type Copy, renewalPauseMs } from './cache-entry'
import { type Flight, Flights } from './flights'
import { mustRenew, shouldRenew } from './freshness'
import { Copies } from './local-cache'
import { RejectionLimit } from './rejection-limit'

/** Whether a token that somebody else got is what the caller wants. */
type Accepts = (copy: Copy) => boolean

/** What a flight has with it. */
interface Trip {
  readonly key: string
  readonly wanted: CacheGetOptions
  readonly flight: Flight
  readonly startedAt: number
  /** The copy that callers use meanwhile, when nobody has to wait. */
  readonly ahead: Copy | undefined
}

const REJECTED_TRACE_MS = 60_000

export interface FreshTokenCacheOptions {
  readonly clock: Clock
  readonly random: () => number
  readonly emit: Emit
  readonly maxEntries: number
  readonly store: StoreAccess | undefined
  /** How long a copy is used before the store is asked whether it still has it, milliseconds. */
  readonly localLifetimeMs: number
}

/** The token cache that a manager uses when it is told of no other. */
export class FreshTokenCache implements TokenCache {
  readonly #clock: Clock
  readonly #random: () => number
  readonly #emit: Emit
  readonly #store: StoreAccess | undefined
  readonly #copies: Copies
  readonly #rejections: RejectionLimit
  readonly #flights = new Flights()

  constructor({ clock, random, emit, maxEntries, store, localLifetimeMs }: FreshTokenCacheOptions) {
    this.#clock = clock
    this.#random = random
    this.#emit = emit
    this.#store = store
    // Without a store there is nobody to ask.
    const checkedAfterMs = store ? localLifetimeMs : Number.POSITIVE_INFINITY
    this.#copies = new Copies({ clock, random, maxEntries, localLifetimeMs: checkedAfterMs })
    this.#rejections = new RejectionLimit(maxEntries, () => clock.monotonic())
  }

  async get(key: string, wanted: CacheGetOptions): Promise<AccessToken> {
    wanted.signal?.throwIfAborted()
    this.#flights.throwIfClosed(wanted.client)
    const copy = this.#copies.get(key)
    if (copy && !wanted.forceRenewal && this.#mayHandOut(copy, wanted)) {
      this.#attend(key, copy, wanted)
      return copy.token
    }
    // The store may hold the very token that will not do; this process knows more about it than the store's times say.
    return this.#await(
      key,
      wanted,
      (other) => other.token.value !== copy?.token.value && this.#mayHandOut(other, wanted),
    )
  }

  reject(key: string, token: AccessToken): boolean {
    const copy = this.#copies.get(key)
    const willRenew = this.#willReplace(key, token, copy)
    this.#emit('tokenRejected', { client: token.client, willRenew })
    return willRenew
  }

  #willReplace(key: string, token: AccessToken, copy: Copy | undefined): boolean {
    if (copy && (copy.token.value !== token.value || copy.state === 'rejected')) return true
    if (!this.#rejections.admit(key)) return this.#flights.has(key)
    // Where the copy is gone, a trace of it stays: the store may hold the same token still.
    const rejected = copy ?? this.#copies.create(token, 'store', REJECTED_TRACE_MS, REJECTED_TRACE_MS)
    this.#copies.keep(key, { ...rejected, state: 'rejected' })
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
    return this.#copies.held(client)
  }

  forget(client: string): void {
    for (const key of this.#keysOf(client)) this.#forget(key)
  }

  #forget(key: string): void {
    this.#copies.delete(key)
    const flight = this.#flights.get(key)
    if (flight) flight.disowned = true
  }

  #keysOf(client: string | undefined): Set<string> {
    return new Set([...this.#copies.keysOf(client), ...this.#flights.keysOf(client)])
  }

  async close(): Promise<void> {
    this.#copies.close()
    await this.#flights.close()
    await this.#store?.settled()
  }

  /** Whether the copy meets the wish, but for being new. */
  #mayHandOut(copy: Copy, wanted: CacheGetOptions): boolean {
    return copy.state === 'good' && !mustRenew(copy, this.#clock.monotonic(), wanted)
  }

  /** Waits for the flight that is under way if its token will do, else for one of its own. */
  async #await(key: string, wanted: CacheGetOptions, accepts: Accepts): Promise<AccessToken> {
    const { client, forceRenewal, signal, loader } = wanted
    for (;;) {
      const running = this.#flights.get(key)
      if (!running) {
        const own = this.#start(key, wanted, undefined, (trip) => this.#fly(trip, accepts))
        return (await this.#flights.join(own, signal)).token
      }
      const outage = loader.circuitError()
      if (outage) throw outage
      if (running.disowned) {
        await untilAborted(
          running.token.catch(() => {}),
          signal,
        )
      } else {
        const copy = await this.#flights.join(running, signal)
        if (running.isNew || (!forceRenewal && accepts(copy))) return copy.token
      }
      this.#flights.throwIfClosed(client)
    }
  }

  /** Starts in the background what is due while the copy is good. */
  #attend(key: string, copy: Copy, wanted: CacheGetOptions): void {
    const now = this.#clock.monotonic()
    const renews = shouldRenew(copy, now)
    if ((!renews && now < copy.checkAt) || now < copy.pausedUntil || this.#flights.has(key)) return
    if (renews && wanted.loader.circuitError()) return
    if (renews) this.#emit('renewalStarted', { client: wanted.client })
    const newer: Accepts = (other) =>
      other.token.value !== copy.token.value && !shouldRenew(other, this.#clock.monotonic())
    const fly = renews ? (trip: Trip) => this.#fly(trip, newer) : (trip: Trip) => this.#check(trip, copy)
    this.#start(key, wanted, copy, fly).token.catch((error: unknown) => {
      const failedAt = this.#clock.monotonic()
      const pausedUntil = failedAt + renewalPauseMs(copy, error, failedAt, this.#random())
      this.#copies.change(key, copy, { pausedUntil })
    })
  }

  #start(key: string, wanted: CacheGetOptions, ahead: Copy | undefined, fly: (trip: Trip) => Promise<Copy>): Flight {
    const anew = !ahead && wanted.forceRenewal === true
    const startedAt = this.#clock.monotonic()
    return this.#flights.start(key, wanted.client, anew, (flight) => fly({ key, wanted, flight, startedAt, ahead }))
  }

  async #fly(trip: Trip, accepts: Accepts): Promise<Copy> {
    return this.#arrive(trip, await this.#consult(trip, accepts))
  }

  /** Asks the store whether the copy's token is still there, because another process may have deleted it. */
  async #check(trip: Trip, copy: Copy): Promise<Copy> {
    const { key, wanted, flight } = trip
    void this.#store?.release(key, copy.lease)
    const shared = await this.#consult(trip, (other) => {
      // What the store could not take does not give way to what is older.
      const inPlace = copy.isShared || other.token.value === copy.token.value || other.expiresAt > copy.expiresAt
      return inPlace && this.#mayHandOut(other, wanted)
    })
    const { answered, found, lease } = shared
    // Who has come to wait meanwhile needs another token, store or no store.
    const isNeeded = flight.waiting > 0
    if (flight.disowned || (!answered && !isNeeded)) {
      void this.#store?.release(key, lease)
      return this.#copies.noteShared(key, copy, copy.isShared, copy.lease)
    }
    const isThere = found?.token.value === copy.token.value
    const isToBeOffered = answered && !found && !copy.isShared && this.#copies.get(key) === copy
    if (!isThere && !isToBeOffered) return this.#arrive(trip, shared)
    const there = this.#copies.noteShared(key, copy, true)
    if (isToBeOffered) this.#offer(trip, there, lease)
    return there
  }

  /** With what the store had, or with what the endpoint gives. */
  async #arrive(trip: Trip, shared: Consulted<Copy>): Promise<Copy> {
    const { key, flight } = trip
    const copy = shared.found ?? (await this.#load(trip, shared))
    this.#retrieved(trip, copy)
    if (flight.disowned) void this.#store?.release(key, shared.lease)
    else {
      this.#copies.keep(key, copy)
      if (!shared.found) this.#offer(trip, copy, shared.lease)
    }
    return copy
  }

  async #load({ key, wanted, flight, ahead }: Trip, { lease, paused }: Consulted<Copy>): Promise<Copy> {
    const { loader, group } = wanted
    const { signal } = flight.controller
    const isAwaited = () => flight.waiting > 0
    let asks = false
    try {
      signal.throwIfAborted()
      if (paused && !paused.aheadOnly) loader.openCircuit(paused.error)
      else if (paused && !isAwaited()) throw paused.error
      asks = loader.circuitError() === undefined
      const { token, lifetimeMs, requestedAt } = await loader.load({ signal, isAwaited })
      flight.isNew = true
      return this.#copies.create(token, 'endpoint', lifetimeMs, lifetimeMs - (this.#clock.monotonic() - requestedAt))
    } catch (error) {
      const pauseMs = ahead && renewalPauseMs(ahead, error, this.#clock.monotonic(), this.#random())
      const found = lease && asks ? pauseAfter(error, loader.circuitError(), pauseMs) : undefined
      void this.#store?.release(key, lease, found && this.#store.postPause(group, found))
      throw error
    }
  }

  /** What the store has that will do, or the lease to renew it; neither when it has nothing to say. */
  async #consult({ key, wanted, flight }: Trip, accepts: Accepts): Promise<Consulted<Copy>> {
    if (!this.#store) return { answered: false }
    const { group, loader, leaseMs } = wanted
    const { anew, controller } = flight
    const pick = ({ token, lifetimeMs, remainingMs }: StoredToken) => {
      const copy = this.#copies.create(token, 'store', lifetimeMs, remainingMs)
      return accepts(copy) ? copy : undefined
    }
    // Who may not ask the endpoint needs no lease.
    const asked = { group, pick, anew, signal: controller.signal, leaseMs: loader.circuitError() ? undefined : leaseMs }
    return this.#store.consult(key, asked)
  }

  /** Gives a token to the store; no caller waits for that. */
  #offer({ key, wanted }: Trip, copy: Copy, lease: StoreLease | undefined): void {
    const remainingMs = copy.expiresAt - this.#clock.monotonic()
    if (remainingMs < 1) void this.#store?.release(key, lease)
    // Without the lease, which others may have, it might overwrite what is newer.
    else if (this.#store?.canLease && !lease) this.#copies.noteShared(key, copy, false)
    else void this.#write(key, wanted.group, copy, remainingMs, lease)
  }

  async #write(key: string, group: string, copy: Copy, remainingMs: number, lease: StoreLease | undefined) {
    const outcome = await this.#store?.write(key, group, copy, remainingMs, lease)
    if (outcome === 'failed') this.#copies.noteShared(key, copy, false, lease)
    // Somebody has a newer one, or the token was deleted while it was asked for.
    if (outcome === 'late') this.#copies.change(key, copy, { checkAt: this.#clock.monotonic() })
  }

  #retrieved({ startedAt }: Trip, { token, source, expiresAt: expiry }: Copy): void {
    const now = this.#clock.monotonic()
    const expiresAt = token.expiresAt ?? new Date(this.#clock.now() + expiry - now)
    this.#emit('tokenRetrieved', { client: token.client, source, durationMs: now - startedAt, expiresAt })
  }
}
