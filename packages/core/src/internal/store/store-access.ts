import type { Clock } from '../../clock'
import type { StoreFailed } from '../../events'
import type { LeaseResult, StoreLease, TokenStore } from '../../token-store'
import type { SharedTime } from '../util/shared-time'
import { withLimit } from '../util/time-limit'
import { readSharedFailure, type SharedFailure, writeSharedFailure } from './shared-failure'
import { type ExpectedToken, readStoreEntry, type StoredToken, writeStoreEntry } from './store-entry'
import type { StoreHealth } from './store-health'

class StoreTimeout extends Error {}

/** Keys under which several tokens have something in common. */
export interface StoreGroups {
  /** All tokens of the client. */
  readonly group: string
  /** All requests to the client's token endpoint. */
  readonly endpointKey: string
}

/** What happened to a token that the store was given. `superseded`: the store has, or had, a newer one. */
export type WriteOutcome = 'kept' | 'superseded' | 'failed'

/** What the store was asked for. Undefined: it failed. */
type Asked = { readonly value: LeaseResult | undefined } | undefined

export interface StoreAccessOptions {
  readonly store: TokenStore
  readonly clock: Clock
  readonly sharedTime: SharedTime
  /** How long a call may take, in milliseconds. */
  readonly timeoutMs: number
  readonly health: StoreHealth
}

/** The store behind a time limit. What fails there is reported, and never thrown. */
export class StoreAccess {
  readonly #store: TokenStore
  readonly #clock: Clock
  readonly #sharedTime: SharedTime
  readonly #timeoutMs: number
  readonly #health: StoreHealth
  /** Work that no caller waits for, by key. The deletion of the same key waits for it, and so does the end. */
  readonly #pending = new Map<string, Set<Promise<unknown>>>()

  constructor({ store, clock, sharedTime, timeoutMs, health }: StoreAccessOptions) {
    this.#store = store
    this.#clock = clock
    this.#sharedTime = sharedTime
    this.#timeoutMs = timeoutMs
    this.#health = health
  }

  /** Whether the store can let one process of a fleet renew while the others wait. */
  get canLease(): boolean {
    return this.#store.lease !== undefined
  }

  /** See {@link StoreHealth.worksForMs}. */
  get worksForMs(): number {
    return this.#health.worksForMs
  }

  /** When calls in a row that start now have to end, all together. */
  deadline(): number {
    return this.#clock.monotonic() + this.#timeoutMs
  }

  /** The stored value, whatever it is. Undefined in place of the result: the store failed. */
  async get(key: string): Promise<{ readonly value: unknown } | undefined> {
    return this.#attempt('get', async () => this.#store.get(key))
  }

  /** Asks for the value or the lease. Undefined in place of the result: the store failed. */
  async getOrLease(
    key: string,
    { group }: StoreGroups,
    leaseMs: number,
    staleValue: string | undefined,
    deadline: number,
  ): Promise<Asked> {
    let isAwaited = true
    const ask = async () => {
      const result = await this.#store.lease?.(key, leaseMs, staleValue, ...this.#groups(group))
      // A lease that is granted after the time limit is not used. Release it so that other processes do not wait for it.
      if (!isAwaited) void this.release(key, result?.lease)
      return result ?? undefined
    }
    const asked = await this.#attempt('lease', ask, this.#msUntil(deadline))
    isAwaited = false
    return this.#noteUnreadable(asked)
  }

  #noteUnreadable(asked: Asked): Asked {
    const { unreadable } = asked?.value?.lease ? asked.value : {}
    if (unreadable) this.#health.noteFailure('lease', unreadable)
    return asked
  }

  /**
   * Asks for the value or the lease of a key that is in no group. Undefined in place of the result: the store failed.
   *
   * @param staleValue the value that may be in the store when the lease is granted
   */
  async getOrLeaseAlone(key: string, leaseMs: number, staleValue?: string): Promise<Asked> {
    const ask = async () => (await this.#store.lease?.(key, leaseMs, staleValue)) ?? undefined
    return this.#noteUnreadable(await this.#attempt('lease', ask))
  }

  /** Writes the value of a key that is in no group, under its lease if there is one. */
  writeAlone(key: string, value: string, ttlMs: number, lease?: StoreLease): Promise<WriteOutcome> {
    const write = async () => {
      if (lease) return lease.commit(value, ttlMs)
      await this.#store.set(key, value, ttlMs)
      return true
    }
    return this.#track(
      key,
      this.#attempt('set', write).then((done) => (done ? (done.value ? 'kept' : 'superseded') : 'failed')),
    )
  }

  /** The token of a stored value. Undefined, and reported, when the value is not the expected token. */
  parse(expected: ExpectedToken, text: unknown): StoredToken | undefined {
    const stored = readStoreEntry(expected, text, this.#sharedTime.now(), this.#clock.now())
    this.#health.noteEntry(stored !== undefined)
    return stored
  }

  /** Writes the token: under the lease when there is one, so that a late process overwrites nothing. */
  write(
    key: string,
    group: string,
    { token, lifetimeMs, refreshInMs }: Pick<StoredToken, 'token' | 'lifetimeMs' | 'refreshInMs'>,
    remainingMs: number,
    lease: StoreLease | undefined,
  ): Promise<WriteOutcome> {
    const expiresAt = Math.round(this.#sharedTime.now() + remainingMs)
    const entry = writeStoreEntry(key, token, { lifetimeMs, refreshInMs, expiresAt })
    const ttlMs = Math.floor(remainingMs)
    const write = async () => {
      if (lease) return lease.commit(entry, ttlMs, ...this.#groups(group))
      await this.#store.set(key, entry, ttlMs, ...this.#groups(group))
      return true
    }
    const outcome = this.#attempt('set', write).then((done) => {
      // The write failed. Release the lease so that other processes do not wait for it.
      if (!done) void this.release(key, lease)
      return done ? (done.value ? 'kept' : 'superseded') : 'failed'
    })
    return this.#track(key, outcome)
  }

  /** Lets another process try, after `before`. */
  async release(key: string, lease: StoreLease | undefined, before?: Promise<unknown>): Promise<void> {
    if (!lease) return
    const release = async () => {
      await before
      await this.#attempt('release', async () => lease.release())
    }
    await this.#track(key, release())
  }

  /** Tells the other processes what the token endpoint responded to this one. */
  shareFailure(endpointKey: string, failure: SharedFailure): Promise<unknown> {
    const entry = writeSharedFailure(endpointKey, failure, this.#sharedTime.now())
    const { retryAfterMs = 0 } = failure.error
    const write = this.#attempt('set', async () => this.#store.set(endpointKey, entry, retryAfterMs))
    return this.#track(endpointKey, write)
  }

  /** What another process was told by the token endpoint, while it counts. */
  async sharedFailure(endpointKey: string, client: string, deadline: number): Promise<SharedFailure | undefined> {
    const got = await this.#attempt('get', async () => this.#store.get(endpointKey), this.#msUntil(deadline))
    return got && readSharedFailure(endpointKey, client, got.value, this.#sharedTime.now())
  }

  async delete(key: string): Promise<void> {
    // A write of this process must not come after the deletion.
    await Promise.all(this.#pending.get(key) ?? [])
    await this.#attempt('delete', async () => this.#store.delete(key))
  }

  async deleteGroup(group: string): Promise<void> {
    if (this.#store.deleteGroup) await this.#attempt('delete', async () => this.#store.deleteGroup?.(group))
  }

  /** Resolves when no work is pending any more. */
  async settled(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all([...this.#pending.values()].flatMap((work) => [...work]))
  }

  /** A store without groups is not passed one: its methods may have other parameters there. */
  #groups(group: string): [string?] {
    return this.#store.deleteGroup ? [group] : []
  }

  /** What is left of the time limit, and a moment in any case: a process that was busy must not blame the store. */
  #msUntil(time: number): number {
    return Math.max(time - this.#clock.monotonic(), this.#timeoutMs / 5)
  }

  #track<T>(key: string, work: Promise<T>): Promise<T> {
    const works = this.#pending.get(key) ?? new Set()
    this.#pending.set(key, works.add(work))
    void work.finally(() => {
      works.delete(work)
      if (works.size === 0 && this.#pending.get(key) === works) this.#pending.delete(key)
    })
    return work
  }

  /** The result of the call; undefined when it failed. */
  async #attempt<T>(
    operation: StoreFailed['operation'],
    call: () => Promise<T>,
    timeoutMs = this.#timeoutMs,
  ): Promise<{ readonly value: T } | undefined> {
    try {
      const value = await withLimit(this.#clock, timeoutMs, () => new StoreTimeout(), call)
      this.#health.noteSuccess(operation)
      return { value }
    } catch (error) {
      this.#health.noteFailure(operation, error instanceof StoreTimeout ? 'timeout' : error)
      return undefined
    }
  }
}
