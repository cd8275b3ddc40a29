import { type MemoryStore, memoryStore } from '@tokenward/store-memory'
import type { AccessToken } from '../access-token'
import type { Clock } from '../clock'
import { TokenRequestError } from '../errors'
import type { LoadedToken, TokenCache, WantedToken } from '../token-cache'
import type { StoreLease } from '../token-store'
import { untilAborted } from './abort'
import { type Copy, goodCopy, withRenewalPaused } from './copy'
import type { Emit } from './event-emitter'
import { mustRenew, shouldRenew } from './freshness'
import { RejectionLimit } from './rejection-limit'
import type { Consulted, StoreAccess } from './store-access'
import type { StoredToken } from './store-entry'

/** One way to a new token, under way for all who want the same key. */
interface Flight {
  readonly client: string
  readonly token: Promise<Copy>
  readonly controller: AbortController
  /** How many callers wait for it now. */
  waiting: number
  /** The token was deleted while this flight was under way: who waits gets its token, nobody after them does. */
  disowned: boolean
}

/** Whether a token that somebody else got is what the caller wants. */
type Accepts = (copy: Copy) => boolean

const REJECTED_TRACE_MS = 60_000
/** A copy outlives its token, so that a store whose clock is behind cannot bring the token back. */
const KEPT_AFTER_EXPIRY_MS = 3_600_000

export interface FreshTokenCacheOptions {
  readonly clock: Clock
  readonly random: () => number
  readonly emit: Emit
  readonly maxEntries: number
  readonly store: StoreAccess | undefined
}

/** The token cache that a manager uses when it is told of no other. */
export class FreshTokenCache implements TokenCache {
  readonly #clock: Clock
  readonly #random: () => number
  readonly #emit: Emit
  readonly #store: StoreAccess | undefined
  readonly #copies: MemoryStore<Copy>
  readonly #rejections: RejectionLimit
  readonly #flights = new Map<string, Flight>()
  /** Store writes under way, by key: no caller waits for them. */
  readonly #writes = new Map<string, Promise<void>>()
  #closed = false

  constructor({ clock, random, emit, maxEntries, store }: FreshTokenCacheOptions) {
    this.#clock = clock
    this.#random = random
    this.#emit = emit
    this.#store = store
    const now = () => clock.monotonic()
    this.#copies = memoryStore<Copy>({ maxEntries, now })
    this.#rejections = new RejectionLimit(maxEntries, now)
  }

  async get(key: string, wanted: WantedToken): Promise<AccessToken> {
    wanted.signal?.throwIfAborted()
    if (this.#closed) throw closedError(wanted.client)
    const copy = this.#copies.get(key)
    if (copy && !wanted.forceRenewal && this.#mayHandOut(copy, wanted)) {
      if (shouldRenew(copy, this.#clock.monotonic())) this.#renewAhead(key, copy, wanted)
      return copy.token
    }
    return this.#await(key, wanted, (other) => {
      // Nothing is newer than what the endpoint gives to a request that is under way.
      if (other.source === 'endpoint') return true
      // The store may hold the very token that will not do; this process knows more about it than the store's times say.
      return !wanted.forceRenewal && other.token.value !== copy?.token.value && this.#mayHandOut(other, wanted)
    })
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
    const rejected = copy ?? this.#copy(token, 'store', REJECTED_TRACE_MS, REJECTED_TRACE_MS)
    this.#keep(key, { ...rejected, state: 'rejected' })
    return true
  }

  async delete(key: string): Promise<void> {
    this.#forget(key)
    await this.#writes.get(key)
    await this.#store?.delete(key)
  }

  async clear(client?: string): Promise<void> {
    await Promise.all(this.#keysOf(client).map((key) => this.delete(key)))
  }

  held(client: string): readonly AccessToken[] {
    const now = this.#clock.monotonic()
    const copies = [...this.#copies.entries()].map(([, copy]) => copy)
    return copies.filter(({ token, expiresAt }) => token.client === client && now < expiresAt).map(({ token }) => token)
  }

  forget(client: string): void {
    for (const key of this.#keysOf(client)) this.#forget(key)
  }

  #forget(key: string): void {
    this.#copies.delete(key)
    const flight = this.#flights.get(key)
    if (flight) flight.disowned = true
  }

  #keysOf(client: string | undefined): string[] {
    const keys = new Set<string>()
    for (const [key, { token }] of this.#copies.entries()) if ((client ?? token.client) === token.client) keys.add(key)
    for (const [key, flight] of this.#flights) if ((client ?? flight.client) === flight.client) keys.add(key)
    return [...keys]
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#copies.clear()
    for (const { client, controller } of this.#flights.values()) controller.abort(closedError(client))
    await Promise.allSettled([...this.#writes.values(), ...[...this.#flights.values()].map(({ token }) => token)])
  }

  /** Whether the copy meets the wish, but for being new. */
  #mayHandOut(copy: Copy, wanted: WantedToken): boolean {
    return copy.state === 'good' && !mustRenew(copy, this.#clock.monotonic(), wanted)
  }

  /** Waits for the flight that is under way if its token will do, else for one of its own. */
  async #await(key: string, wanted: WantedToken, accepts: Accepts): Promise<AccessToken> {
    for (;;) {
      const running = this.#flights.get(key)
      if (!running) return (await this.#join(this.#start(key, wanted, accepts), wanted)).token
      const outage = wanted.loader.outage()
      if (outage) throw outage
      if (running.disowned) {
        await untilAborted(running.token.then(ignore, ignore), wanted.signal)
      } else {
        const copy = await this.#join(running, wanted)
        if (accepts(copy)) return copy.token
      }
      if (this.#closed) throw closedError(wanted.client)
    }
  }

  async #join(flight: Flight, { signal }: WantedToken): Promise<Copy> {
    flight.waiting++
    try {
      return await untilAborted(flight.token, signal)
    } finally {
      flight.waiting--
    }
  }

  #start(key: string, wanted: WantedToken, accepts: Accepts): Flight {
    const controller = new AbortController()
    const run = async () => {
      // The flight has to be on the list before it does anything that could end it.
      await undefined
      try {
        return await this.#fly(key, wanted, flight, accepts)
      } finally {
        this.#flights.delete(key)
      }
    }
    const flight: Flight = { client: wanted.client, token: run(), controller, waiting: 0, disowned: false }
    // Who waits is told; a failure that nobody waits for is no unhandled rejection.
    flight.token.catch(ignore)
    this.#flights.set(key, flight)
    return flight
  }

  async #fly(key: string, wanted: WantedToken, flight: Flight, accepts: Accepts): Promise<Copy> {
    const startedAt = this.#clock.monotonic()
    const { signal } = flight.controller
    const shared = wanted.forceRenewal ? {} : await this.#fromStore(key, wanted.leaseMs, accepts, signal)
    const { lease } = shared
    let copy = shared.found
    try {
      signal.throwIfAborted()
      copy ??= this.#fromLoader(await wanted.loader.load({ signal, isAwaited: () => flight.waiting > 0 }))
    } catch (error) {
      this.#store?.release(lease)
      throw error
    }
    this.#retrieved(copy, startedAt)
    if (flight.disowned) this.#store?.release(lease)
    else {
      this.#keep(key, copy)
      if (copy.source === 'endpoint') this.#writeToStore(key, copy, lease)
    }
    return copy
  }

  #renewAhead(key: string, copy: Copy, wanted: WantedToken): void {
    const now = this.#clock.monotonic()
    if (now < copy.renewalPausedUntil || this.#flights.has(key) || wanted.loader.outage()) return
    this.#emit('renewalStarted', { client: wanted.client })
    const newer: Accepts = (other) =>
      other.token.value !== copy.token.value && !shouldRenew(other, this.#clock.monotonic())
    this.#start(key, wanted, newer).token.catch((error: unknown) => {
      if (this.#copies.get(key) !== copy) return
      this.#keep(key, withRenewalPaused(copy, error, this.#clock.monotonic(), this.#random()))
    })
  }

  /** What the store has that will do, or the lease to renew it; neither when it has nothing to say. */
  async #fromStore(key: string, leaseMs: number, accepts: Accepts, signal: AbortSignal): Promise<Consulted<Copy>> {
    if (!this.#store) return {}
    const pick = ({ token, lifetimeMs, remainingMs }: StoredToken) => {
      const copy = this.#copy(token, 'store', lifetimeMs, remainingMs)
      return accepts(copy) ? copy : undefined
    }
    return this.#store.consult(key, leaseMs, pick, signal)
  }

  #fromLoader({ token, lifetimeMs, requestedAt }: LoadedToken): Copy {
    return this.#copy(token, 'endpoint', lifetimeMs, lifetimeMs - (this.#clock.monotonic() - requestedAt))
  }

  #copy(token: AccessToken, source: Copy['source'], lifetimeMs: number, remainingMs: number): Copy {
    return goodCopy(token, source, { now: this.#clock.monotonic(), lifetimeMs, remainingMs }, this.#random())
  }

  #keep(key: string, copy: Copy): void {
    const ttlMs = copy.expiresAt - this.#clock.monotonic() + KEPT_AFTER_EXPIRY_MS
    if (!this.#closed) this.#copies.set(key, copy, ttlMs)
  }

  #writeToStore(key: string, copy: Copy, lease: StoreLease | undefined): void {
    const remainingMs = copy.expiresAt - this.#clock.monotonic()
    if (!this.#store || remainingMs < 1) return
    const write = this.#store.write(key, copy.token, copy.lifetimeMs, remainingMs, lease)
    this.#writes.set(key, write)
    void write.finally(() => {
      if (this.#writes.get(key) === write) this.#writes.delete(key)
    })
  }

  #retrieved({ token, source, expiresAt: expiry }: Copy, startedAt: number): void {
    const now = this.#clock.monotonic()
    const expiresAt = token.expiresAt ?? new Date(this.#clock.now() + expiry - now)
    this.#emit('tokenRetrieved', { client: token.client, source, durationMs: now - startedAt, expiresAt })
  }
}

function closedError(client: string): TokenRequestError {
  const errorDescription = 'the token manager is closed'
  return new TokenRequestError({ client, error: 'closed', errorDescription, retryable: false })
}

function ignore(): void {}
