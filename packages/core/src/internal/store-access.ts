import type { AccessToken } from '../access-token'
import type { Clock } from '../clock'
import type { StoreFailed } from '../events'
import type { StoreLease, TokenStore } from '../token-store'
import type { Emit } from './event-emitter'
import { pause, withLimit } from './pause'
import { readStoreEntry, type StoredToken, writeStoreEntry } from './store-entry'

class StoreTimeout extends Error {}

/** How often those who wait for another process's renewal look, milliseconds: half of it to one and a half times it. */
const POLL_MS = 50

/** What the store has to say to a process that needs a token: one that will do, or the lease to renew it, or nothing. */
export interface Consulted<T> {
  readonly found?: T | undefined
  readonly lease?: StoreLease | undefined
}

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

  constructor({ store, clock, random, timeoutMs, emit }: StoreAccessOptions) {
    this.#store = store
    this.#clock = clock
    this.#random = random
    this.#timeoutMs = timeoutMs
    this.#emit = emit
  }

  /**
   * The token that `pick` takes. Where the store can lease, one process is told to renew and the others wait for it, no
   * longer than a lease lasts.
   *
   * @throws the signal's reason when it aborts
   */
  async consult<T>(
    key: string,
    leaseMs: number,
    pick: (stored: StoredToken) => T | undefined,
    signal: AbortSignal,
  ): Promise<Consulted<T>> {
    const picked = (text: string) => {
      const stored = this.#parse(key, text)
      return stored && pick(stored)
    }
    if (!this.#store.lease) {
      const text = await this.#attempt('get', async () => this.#store.get(key))
      return text === undefined || text === null ? {} : { found: picked(text) }
    }
    const waitsUntil = this.#clock.monotonic() + leaseMs
    let seen: string | undefined
    while (this.#clock.monotonic() < waitsUntil) {
      // Told apart from "somebody else holds it", because a store that fails must not be waited for.
      let answered = false
      const answer = await this.#attempt('lease', async () => {
        const given = await this.#store.lease?.(key, leaseMs, seen)
        answered = true
        return given
      })
      if (!answered) return {}
      if (answer?.lease) return { lease: answer.lease }
      if (answer?.value === undefined) {
        await pause(this.#clock, POLL_MS * (0.5 + this.#random()), signal)
        continue
      }
      const found = picked(answer.value)
      if (found !== undefined) return { found }
      if (answer.value === seen) return {}
      seen = answer.value
    }
    return {}
  }

  /** Keeps the token: under the lease, when there is one, so that who is late overwrites nothing. */
  async write(
    key: string,
    token: AccessToken,
    lifetimeMs: number,
    remainingMs: number,
    lease: StoreLease | undefined,
  ): Promise<void> {
    const expiresAt = Math.round(this.#clock.now() + remainingMs)
    const entry = writeStoreEntry(key, token, lifetimeMs, expiresAt)
    const ttlMs = Math.floor(remainingMs)
    await this.#attempt('set', async () => {
      if (lease) await lease.commit(entry, ttlMs)
      else await this.#store.set(key, entry, ttlMs)
    })
  }

  /** Lets another process try; nobody waits for it. */
  release(lease: StoreLease | undefined): void {
    if (lease) void this.#attempt('release', async () => lease.release())
  }

  async delete(key: string): Promise<void> {
    await this.#attempt('delete', async () => this.#store.delete(key))
  }

  #parse(key: string, text: unknown): StoredToken | undefined {
    const stored = readStoreEntry(key, text, this.#clock.now())
    if (!stored) this.#emit('storeFailed', { operation: 'get', reason: 'invalid_entry' })
    return stored
  }

  async #attempt<T>(operation: StoreFailed['operation'], call: () => Promise<T>): Promise<T | undefined> {
    try {
      return await withLimit(this.#clock, this.#timeoutMs, () => new StoreTimeout(), call)
    } catch (error) {
      // Only the kind of the error: its message may quote the entry.
      const { name, code } = (error ?? {}) as { name?: unknown; code?: unknown }
      const reason = error instanceof StoreTimeout ? 'timeout' : String(code ?? name ?? 'error')
      this.#emit('storeFailed', { operation, reason })
      return undefined
    }
  }
}
