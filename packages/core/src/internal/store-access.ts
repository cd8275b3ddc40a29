import type { AccessToken } from '../access-token'
import type { Clock } from '../clock'
import type { StoreFailed } from '../events'
import type { TokenStore } from '../token-store'
import type { Emit } from './event-emitter'
import { withLimit } from './pause'
import { readStoreEntry, type StoredToken, writeStoreEntry } from './store-entry'

class StoreTimeout extends Error {}

/** The store behind a time limit: what goes wrong there is reported and never thrown. */
export class StoreAccess {
  readonly #store: TokenStore
  readonly #clock: Clock
  readonly #timeoutMs: number
  readonly #emit: Emit

  constructor(store: TokenStore, clock: Clock, timeoutMs: number, emit: Emit) {
    this.#store = store
    this.#clock = clock
    this.#timeoutMs = timeoutMs
    this.#emit = emit
  }

  /** The token under `key`; undefined when there is none, or the store fails, or what it holds is something else. */
  async read(key: string): Promise<StoredToken | undefined> {
    const text = await this.#attempt('get', async () => this.#store.get(key))
    if (text === undefined || text === null) return undefined
    const stored = readStoreEntry(key, text, this.#clock.now())
    if (!stored) this.#emit('storeFailed', { operation: 'get', reason: 'invalid_entry' })
    return stored
  }

  async write(key: string, token: AccessToken, lifetimeMs: number, remainingMs: number): Promise<void> {
    const expiresAt = Math.round(this.#clock.now() + remainingMs)
    const entry = writeStoreEntry(key, token, lifetimeMs, expiresAt)
    await this.#attempt('set', async () => this.#store.set(key, entry, Math.floor(remainingMs)))
  }

  async delete(key: string): Promise<void> {
    await this.#attempt('delete', async () => this.#store.delete(key))
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
