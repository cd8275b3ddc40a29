import type { Clock } from '../../clock'
import type { StoreLease } from '../../token-store'
import type { Emit } from '../util/event-emitter'
import { PollPauses } from '../util/poll-pauses'
import { sleep } from '../util/time-limit'
import type { SharedFailure } from './shared-failure'
import type { StoreAccess, StoreGroups } from './store-access'
import type { ExpectedToken, StoredToken } from './store-entry'

/** How long a process waits that reads one value after the other that it cannot use. */
const UNUSABLE_PAUSE_MS = 50
/** So many values that cannot be used are read without a wait. */
const MOST_AT_ONCE = 3

/**
 * How long a process waits for the leases of others, in leases. One process has up to three in a row, one for each of its
 * attempts. After that, something is wrong with the store, and the process goes on without a lease.
 */
const LONGEST_WAIT_LEASES = 4

/** What a process that needs a token wants of the store. */
export interface LookupOptions<T> extends ExpectedToken, StoreGroups {
  /** The usable form of a stored token; undefined when it cannot be used. */
  readonly accept: (stored: StoredToken) => T | undefined
  /** How long a lease would last. Undefined: only look. */
  readonly leaseMs: number | undefined
  /** What is in the store now cannot be used, whatever it is. What another process writes from now on can. */
  readonly forced: boolean
  readonly signal: AbortSignal
}

export type LookupResult<T> =
  /** The store failed. */
  | { readonly state: 'unavailable' }
  /** The store has a token that can be used. */
  | { readonly state: 'found'; readonly value: T }
  /** It has none. With a lease, this process is the one to renew. */
  | {
      readonly state: 'missing'
      readonly lease?: StoreLease | undefined
      /** When the lease ends by itself, in milliseconds of the monotonic clock. */
      readonly leaseEndsAt?: number | undefined
      /** What the token endpoint told another process. */
      readonly failure?: SharedFailure | undefined
    }

/** Looks for tokens in the store. */
export class StoreLookup {
  readonly #store: StoreAccess
  readonly #clock: Clock
  readonly #random: () => number
  readonly #emit: Emit

  constructor(store: StoreAccess, clock: Clock, random: () => number, emit: Emit) {
    this.#store = store
    this.#clock = clock
    this.#random = random
    this.#emit = emit
  }

  /**
   * A token from the store, or the right to renew it. When another process renews, this one waits: for its token, or for its
   * lease to end.
   *
   * @throws the signal's reason when it aborts
   */
  async find<T>(options: LookupOptions<T>): Promise<LookupResult<T>> {
    const { leaseMs } = options
    if (leaseMs === undefined || !this.#store.canLease) return this.#look(options)
    return this.#findOrLease(options, leaseMs)
  }

  async #look<T>({ accept, ...options }: LookupOptions<T>): Promise<LookupResult<T>> {
    if (options.forced) return { state: 'missing' }
    const got = await this.#store.get(options.key)
    if (!got) return { state: 'unavailable' }
    if (got.value === undefined || got.value === null) return { state: 'missing' }
    return this.#judge(options, got.value, accept)
  }

  #judge<T>(expected: ExpectedToken, text: unknown, accept: LookupOptions<T>['accept']): LookupResult<T> {
    const stored = this.#store.parse(expected, text)
    const value = stored && accept(stored)
    return value === undefined ? { state: 'missing' } : { state: 'found', value }
  }

  async #findOrLease<T>({ accept, ...options }: LookupOptions<T>, leaseMs: number): Promise<LookupResult<T>> {
    const { key, client, endpointKey, forced, signal } = options
    const waitsUntil = this.#clock.monotonic() + LONGEST_WAIT_LEASES * leaseMs
    let staleValue: string | undefined
    let wasDeleted = false
    let waitsSince: number | undefined
    let unusableCount = 0
    const pauses = new PollPauses(this.#random)
    let deadline = this.#store.deadline()
    for (let round = 1; this.#clock.monotonic() < waitsUntil; round++) {
      const askedAt = this.#clock.monotonic()
      const asked = await this.#store.getOrLease(key, options, leaseMs, staleValue, deadline)
      if (!asked) return { state: 'unavailable' }
      const { value, lease } = asked.value ?? {}
      if (lease) {
        if (waitsSince !== undefined) {
          this.#emit('leaseTakenOver', { client, waitedMs: this.#clock.monotonic() - waitsSince })
        }
        const failure = await this.#store.sharedFailure(endpointKey, client, deadline)
        return { state: 'missing', lease, leaseEndsAt: askedAt + leaseMs, failure }
      }
      if (value === undefined) {
        if (waitsSince === undefined) this.#emit('leaseAwaited', { client })
        waitsSince ??= this.#clock.monotonic()
        await sleep(this.#clock, pauses.next(), signal)
        deadline = this.#store.deadline()
      } else if (value !== staleValue) {
        const result = forced && round === 1 ? undefined : this.#judge(options, value, accept)
        if (result?.state === 'found') return result
        staleValue = value
        // A store whose value differs each time (it returns an object, for example) must not keep this process busy.
        if (++unusableCount > MOST_AT_ONCE) {
          await sleep(this.#clock, UNUSABLE_PAUSE_MS, signal)
          deadline = this.#store.deadline()
        }
      } else {
        // The store does not recognise the value, because it is not text, for example. Delete it so that it is replaced.
        if (wasDeleted) break
        wasDeleted = true
        await this.#store.delete(key)
      }
    }
    return { state: 'missing' }
  }
}
