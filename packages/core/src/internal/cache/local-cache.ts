import type { AccessToken } from '../../access-token'
import type { Clock } from '../../clock'
import type { TokenWindow } from '../../token-cache'
import type { StoreLease } from '../../token-store'
import { LruMap, Recency } from '../util/lru-map'
import { type CacheEntry, changedEntry, type EntryTimes, goodEntry, nextCheckAt } from './cache-entry'
import { mustRenewAt } from './freshness'
import { KeysByClient } from './keys-by-client'
import { UsageWindow, type WindowContext } from './usage-window'

/** An entry outlives its token, so that a store whose clock is behind cannot bring the token back. */
const KEPT_AFTER_EXPIRY_MS = 3_600_000
/** How soon the next attempt starts to write a token that could not be written to the store. */
const WRITE_AGAIN_MS = 1_000

export interface LocalCacheOptions {
  readonly clock: Clock
  readonly random: () => number
  readonly maxEntries: number
  /** How long an entry is used before the store is asked whether it still has the token, in milliseconds. */
  readonly localLifetimeMs: number
  readonly windows: WindowContext
}

/** The tokens in this process, by key. */
export class LocalCache {
  readonly #entries: LruMap<CacheEntry>
  readonly #keys = new KeysByClient()
  readonly #clock: Clock
  readonly #random: () => number
  readonly #localLifetimeMs: number
  readonly #windows: WindowContext
  #closed = false

  constructor({ clock, random, maxEntries, localLifetimeMs, windows }: LocalCacheOptions) {
    this.#entries = new LruMap(new Recency(maxEntries), (entry, key) => this.#removed(entry, key))
    this.#clock = clock
    this.#random = random
    this.#localLifetimeMs = localLifetimeMs
    this.#windows = windows
  }

  /** A good entry, which is not kept yet. */
  create(
    token: AccessToken,
    source: CacheEntry['source'],
    times: Pick<EntryTimes, 'lifetimeMs' | 'remainingMs' | 'refreshInMs'>,
  ): CacheEntry {
    const complete = { ...times, now: this.#clock.monotonic(), revalidateAt: this.#revalidateAt(true) }
    return goodEntry(token, source, complete, this.#random())
  }

  get(key: string): CacheEntry | undefined {
    const entry = this.#entries.get(key)
    if (!entry || !this.#isForgotten(entry)) return entry
    this.#entries.delete(key)
    return undefined
  }

  keep(key: string, entry: CacheEntry): void {
    if (this.#closed) return
    if (this.#isForgotten(entry)) this.#entries.delete(key)
    else {
      this.#entries.set(key, entry)
      this.#keys.add(entry.token.client, key)
    }
  }

  /** The window of a token that was just found to be usable. Undefined when it is in the cache no more. */
  openWindow(key: string, entry: CacheEntry, now: number, expirationBufferMs: number): TokenWindow | undefined {
    const item = this.#entries.item(key)
    if (item?.value !== entry) return undefined
    entry.window ??= new UsageWindow(item, this.#windows)
    // Without the demand of one caller: the window is for all.
    const demand = { expirationBufferMs }
    entry.window.openUntil(nextCheckAt(entry, now, demand), mustRenewAt(entry, demand))
    return entry.window
  }

  /** Replaces `entry` by a changed one, unless another entry has taken its place. */
  change(key: string, entry: CacheEntry, change: Partial<CacheEntry>): CacheEntry {
    const changed = changedEntry(entry, change)
    if (this.#entries.get(key) === entry) this.keep(key, changed)
    return changed
  }

  /** What an API demands of the next token. It goes into one request: if that fails, the next one is an ordinary one. */
  takeClaims(key: string): string | undefined {
    const entry = this.#entries.get(key)
    if (entry?.claims !== undefined) this.change(key, entry, { claims: undefined })
    return entry?.claims
  }

  /** Notes whether the store has the token, and when to ask the store next. */
  noteShared(key: string, entry: CacheEntry, isShared: boolean, lease?: StoreLease): CacheEntry {
    return this.change(key, entry, { isShared, lease, revalidateAt: this.#revalidateAt(isShared) })
  }

  /** Whether the store should have been asked so long ago that a deletion by another process would have been noticed. */
  isLongOverdue(entry: CacheEntry): boolean {
    return this.#clock.monotonic() > entry.revalidateAt + this.#localLifetimeMs
  }

  delete(key: string): void {
    this.#entries.delete(key)
  }

  /** The tokens of a client that have not expired. */
  held(client: string): readonly AccessToken[] {
    const now = this.#clock.monotonic()
    return this.of(client).flatMap(([, { token, expiresAt }]) => (now < expiresAt ? [token] : []))
  }

  /** The keys of one client's entries; of all clients without a name. */
  keysOf(client: string | undefined): string[] {
    return client === undefined ? [...this.#entries.keys()] : this.#keys.of(client)
  }

  /** Forgets all entries, and keeps nothing from now on. */
  close(): void {
    this.#closed = true
    this.#entries.clear()
  }

  /** The entries of one client by key. */
  of(client: string): [key: string, entry: CacheEntry][] {
    return this.#keys.of(client).flatMap((key): [string, CacheEntry][] => {
      const entry = this.#entries.peek(key)
      return entry ? [[key, entry]] : []
    })
  }

  #removed({ token, window }: CacheEntry, key: string): void {
    window?.end()
    this.#keys.remove(token.client, key)
  }

  #isForgotten({ expiresAt }: CacheEntry): boolean {
    return this.#clock.monotonic() >= expiresAt + KEPT_AFTER_EXPIRY_MS
  }

  #revalidateAt(isShared: boolean): number {
    const waitMs = isShared ? this.#localLifetimeMs : Math.min(this.#localLifetimeMs, WRITE_AGAIN_MS)
    return this.#clock.monotonic() + waitMs
  }
}
