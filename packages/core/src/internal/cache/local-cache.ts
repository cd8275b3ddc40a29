import { type MemoryStore, memoryStore } from '@tokenward/store-memory'
import type { AccessToken } from '../../access-token'
import type { Clock } from '../../clock'
import type { StoreLease } from '../../token-store'
import { type Copy, goodCopy } from './cache-entry'

/** A copy outlives its token, so that a store whose clock is behind cannot bring the token back. */
const KEPT_AFTER_EXPIRY_MS = 3_600_000
/** How soon a token that the store could not take is offered to it again. */
const OFFERED_AGAIN_MS = 1_000

export interface CopiesOptions {
  readonly clock: Clock
  readonly random: () => number
  readonly maxEntries: number
  /** How long a copy is used before the store is asked whether it still has it, milliseconds. */
  readonly localLifetimeMs: number
}

/** The copies of tokens in this process, by key. */
export class Copies {
  readonly #copies: MemoryStore<Copy>
  readonly #clock: Clock
  readonly #random: () => number
  readonly #localLifetimeMs: number
  #closed = false

  constructor({ clock, random, maxEntries, localLifetimeMs }: CopiesOptions) {
    this.#copies = memoryStore<Copy>({ maxEntries, now: () => clock.monotonic() })
    this.#clock = clock
    this.#random = random
    this.#localLifetimeMs = localLifetimeMs
  }

  /** A good copy, which is not kept yet. */
  create(token: AccessToken, source: Copy['source'], lifetimeMs: number, remainingMs: number): Copy {
    const times = { now: this.#clock.monotonic(), lifetimeMs, remainingMs, checkAt: this.#checkAt(true) }
    return goodCopy(token, source, times, this.#random())
  }

  get(key: string): Copy | undefined {
    return this.#copies.get(key)
  }

  keep(key: string, copy: Copy): void {
    if (!this.#closed) this.#copies.set(key, copy, copy.expiresAt - this.#clock.monotonic() + KEPT_AFTER_EXPIRY_MS)
  }

  /** Puts a copy that differs in this in the place of `copy`, unless something else has come there. */
  change(key: string, copy: Copy, change: Partial<Copy>): Copy {
    const changed = { ...copy, ...change }
    if (this.#copies.get(key) === copy) this.keep(key, changed)
    return changed
  }

  /** Notes that the store has the token, or that it could not take it, and with that when it is asked next. */
  noteShared(key: string, copy: Copy, isShared: boolean, lease?: StoreLease): Copy {
    return this.change(key, copy, { isShared, lease, checkAt: this.#checkAt(isShared) })
  }

  delete(key: string): void {
    this.#copies.delete(key)
  }

  /** The tokens of a client that have not expired. */
  held(client: string): readonly AccessToken[] {
    const now = this.#clock.monotonic()
    return this.#of(client).flatMap(([, { token, expiresAt }]) => (now < expiresAt ? [token] : []))
  }

  /** The keys of one client's copies; of all without a name. */
  keysOf(client: string | undefined): string[] {
    return this.#of(client).map(([key]) => key)
  }

  /** Forgets all, and keeps nothing from now on. */
  close(): void {
    this.#closed = true
    this.#copies.clear()
  }

  #of(client: string | undefined): [key: string, copy: Copy][] {
    return [...this.#copies.entries()].filter(([, { token }]) => (client ?? token.client) === token.client)
  }

  #checkAt(isShared: boolean): number {
    const waitMs = isShared ? this.#localLifetimeMs : Math.min(this.#localLifetimeMs, OFFERED_AGAIN_MS)
    return this.#clock.monotonic() + waitMs
  }
}
