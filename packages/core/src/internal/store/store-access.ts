import type { Clock } from '../../clock'
import type { StoreFailed } from '../../events'
import type { LeaseResult, StoreLease, TokenStore } from '../../token-store'
import type { Emit } from '../util/event-emitter'
import { pause, withLimit } from '../util/time-limit'
import { readPause, type SharedPause, writePause } from './shared-pause'
import { readStoreEntry, type StoredToken, writeStoreEntry } from './store-entry'

class StoreTimeout extends Error {}

/** How often those who wait for another process's renewal look, milliseconds: half of it to one and a half times it. */
const POLL_MS = 50

/** What a process that needs a token asks the store. */
export interface Question<T> {
  /** What the tokens of its client have in common. */
  readonly group: string
  /** What will do of what is there. */
  readonly pick: (stored: StoredToken) => T | undefined
  /** How long a lease would last; undefined: only look. */
  readonly leaseMs: number | undefined
  /** What is there now will not do, whatever it is; what somebody puts there from now on may. */
  readonly anew: boolean
  readonly signal: AbortSignal
}

/** What the store has to say: a token that will do, or the lease to renew it, or nothing. */
export interface Consulted<T> {
  /** False when it said nothing at all. */
  readonly answered: boolean
  readonly found?: T | undefined
  readonly lease?: StoreLease | undefined
  /** Beside a lease: another process has failed at the endpoint. */
  readonly paused?: SharedPause | undefined
}

/** What became of a token that the store was given. `late`: it has, or had, something newer. */
export type WriteOutcome = 'kept' | 'late' | 'failed'

export interface StoreAccessOptions {
  readonly store: TokenStore
  readonly clock: Clock
  readonly random: () => number
  /** How long a call may take, milliseconds. */
  readonly timeoutMs: number
  readonly emit: Emit
}

/** The store behind a time limit: what goes wrong there is reported and never thrown. */
export class StoreAccess {
  readonly #store: TokenStore
  readonly #clock: Clock
  readonly #random: () => number
  readonly #timeoutMs: number
  readonly #emit: Emit
  /** What no caller waits for, but a deletion of the same key and the end do. */
  readonly #underWay = new Map<Promise<unknown>, string>()

  constructor({ store, clock, random, timeoutMs, emit }: StoreAccessOptions) {
    this.#store = store
    this.#clock = clock
    this.#random = random
    this.#timeoutMs = timeoutMs
    this.#emit = emit
  }

  /** Whether one process of a fleet can be told to renew. */
  get canLease(): boolean {
    return this.#store.lease !== undefined
  }

  /**
   * Where the store can lease, one process is told to renew and the others wait: for it, and if it dies, for the one
   * who takes over.
   *
   * @throws the signal's reason when it aborts
   */
  async consult<T>(key: string, { group, pick, leaseMs, anew, signal }: Question<T>): Promise<Consulted<T>> {
    const picked = (text: string) => {
      const stored = this.#parse(key, text)
      return stored && pick(stored)
    }
    if (leaseMs === undefined || !this.canLease) {
      if (anew) return { answered: true }
      const got = await this.#attempt('get', async () => this.#store.get(key))
      if (!got) return { answered: false }
      return { answered: true, found: got.value === undefined || got.value === null ? undefined : picked(got.value) }
    }
    const waitsUntil = this.#clock.monotonic() + 2 * leaseMs
    let staleValue: string | undefined
    let wasDeleted = false
    // All that is asked in a row takes no longer than one call may.
    let giveUpAt = this.#clock.monotonic() + this.#timeoutMs
    for (let round = 1; this.#clock.monotonic() < waitsUntil; round++) {
      const asked = await this.#askForLease(key, leaseMs, staleValue, giveUpAt)
      if (!asked) return { answered: false }
      const { value, lease } = asked.value ?? {}
      if (lease) return { answered: true, lease, paused: await this.#pauseOf(group, giveUpAt) }
      if (value === undefined) {
        await pause(this.#clock, POLL_MS * (0.5 + this.#random()), signal)
        giveUpAt = this.#clock.monotonic() + this.#timeoutMs
        continue
      }
      if (value === staleValue) {
        // The store does not know it again, because it is no text, say. It goes, so that it can be replaced.
        if (wasDeleted) break
        wasDeleted = true
        await this.#attempt('delete', async () => this.#store.delete(key))
        continue
      }
      const found = anew && round === 1 ? undefined : picked(value)
      if (found !== undefined) return { answered: true, found }
      staleValue = value
    }
    return { answered: true }
  }

  /** Keeps the token: under the lease, when there is one, so that who is late overwrites nothing. */
  write(
    key: string,
    group: string,
    { token, lifetimeMs }: Pick<StoredToken, 'token' | 'lifetimeMs'>,
    remainingMs: number,
    lease: StoreLease | undefined,
  ): Promise<WriteOutcome> {
    const entry = writeStoreEntry(key, token, lifetimeMs, Math.round(this.#clock.now() + remainingMs))
    const ttlMs = Math.floor(remainingMs)
    const write = async () => {
      // A store of three methods is told nothing that it has not asked for.
      const groups = this.#store.deleteGroup ? ([group] as const) : []
      if (lease) return lease.commit(entry, ttlMs, ...groups)
      await this.#store.set(key, entry, ttlMs, ...groups)
      return true
    }
    const outcome = this.#attempt('set', write).then((done) => {
      // What cannot be kept is no reason for all others to wait for the end of the lease.
      if (!done) void this.release(key, lease)
      return done ? (done.value ? 'kept' : 'late') : 'failed'
    })
    return this.#follow(key, outcome)
  }

  /** Lets another process try, after `before`. */
  async release(key: string, lease: StoreLease | undefined, before?: Promise<unknown>): Promise<void> {
    if (!lease) return
    const release = async () => {
      await before
      await this.#attempt('release', async () => lease.release())
    }
    await this.#follow(key, release())
  }

  /** Tells the other processes that one has failed at the endpoint of a client. */
  postPause(group: string, shared: SharedPause): Promise<unknown> {
    const entry = writePause(group, shared, this.#clock.now())
    const { retryAfterMs = 0 } = shared.error
    return this.#follow(
      group,
      this.#attempt('set', async () => this.#store.set(group, entry, retryAfterMs)),
    )
  }

  async delete(key: string): Promise<void> {
    // A write of this process must not come after it.
    await Promise.all([...this.#underWay].filter(([, of]) => of === key).map(([work]) => work))
    await this.#attempt('delete', async () => this.#store.delete(key))
  }

  async deleteGroup(group: string): Promise<void> {
    if (this.#store.deleteGroup) await this.#attempt('delete', async () => this.#store.deleteGroup?.(group))
  }

  /** Resolves when nothing is under way any more. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay.keys())
  }

  async #askForLease(key: string, leaseMs: number, staleValue: string | undefined, giveUpAt: number) {
    let awaited = true
    const ask = async () => {
      const answer = await this.#store.lease?.(key, leaseMs, staleValue)
      // A lease that comes after the time limit is used by nobody, and all others would wait for its end.
      if (!awaited) void this.release(key, answer?.lease)
      return answer
    }
    const asked = await this.#attempt<LeaseResult | undefined>('lease', ask, this.#msUntil(giveUpAt))
    awaited = false
    const { unreadable } = asked?.value?.lease ? asked.value : {}
    if (unreadable) this.#emit('storeFailed', { operation: 'lease', reason: reasonOf(unreadable) })
    return asked
  }

  async #pauseOf(group: string, giveUpAt: number): Promise<SharedPause | undefined> {
    const got = await this.#attempt('get', async () => this.#store.get(group), this.#msUntil(giveUpAt))
    return got && readPause(group, got.value, this.#clock.now())
  }

  /** What is left, and a moment in any case: a process that got no turn meanwhile must not blame the store. */
  #msUntil(time: number): number {
    return Math.max(time - this.#clock.monotonic(), this.#timeoutMs / 5)
  }

  #follow<T>(key: string, work: Promise<T>): Promise<T> {
    this.#underWay.set(work, key)
    void work.finally(() => this.#underWay.delete(work))
    return work
  }

  #parse(key: string, text: unknown): StoredToken | undefined {
    const stored = readStoreEntry(key, text, this.#clock.now())
    if (!stored) this.#emit('storeFailed', { operation: 'get', reason: 'invalid_entry' })
    return stored
  }

  /** What the call came to; undefined when it failed. */
  async #attempt<T>(
    operation: StoreFailed['operation'],
    call: () => Promise<T>,
    timeoutMs = this.#timeoutMs,
  ): Promise<{ readonly value: T } | undefined> {
    try {
      return { value: await withLimit(this.#clock, timeoutMs, () => new StoreTimeout(), call) }
    } catch (error) {
      this.#emit('storeFailed', { operation, reason: reasonOf(error) })
      return undefined
    }
  }
}

/** Only the kind of the error: its message may quote the entry. */
function reasonOf(error: unknown): string {
  if (error instanceof StoreTimeout) return 'timeout'
  const { name, code } = (error ?? {}) as { name?: unknown; code?: unknown }
  return String(code ?? name ?? 'error')
}
