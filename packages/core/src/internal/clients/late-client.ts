import type { ManagedClient } from './managed-client'

/** How long after its metadata was read again it is not read once more. */
const REREAD_PAUSE_MS = 30_000

/** A definition that is loaded when it is first needed. It is loaded again after a failure. */
export class LateClient {
  readonly #load: () => Promise<ManagedClient>
  #loading: Promise<ManagedClient> | undefined
  #rereading: Promise<boolean> | undefined
  #rereadNotBefore = Number.NEGATIVE_INFINITY
  client: ManagedClient | undefined

  constructor(load: () => Promise<ManagedClient>) {
    this.#load = load
  }

  get(): Promise<ManagedClient> {
    this.#loading ??= this.#load().then(
      (client) => {
        this.client = client
        return client
      },
      (error) => {
        this.#loading = undefined
        throw error
      },
    )
    return this.#loading
  }

  /**
   * Reads the definition again, unless that was done shortly before. Callers who come meanwhile wait for the same.
   *
   * @param now by the monotonic clock, in milliseconds
   * @param load returns undefined when nothing has changed
   * @param onChange called when it is another one now
   * @returns whether it is another one now. False when it cannot be read.
   */
  reread(now: number, load: () => Promise<ManagedClient | undefined>, onChange: () => void): Promise<boolean> {
    if (!this.#rereading && now >= this.#rereadNotBefore) {
      this.#rereadNotBefore = now + REREAD_PAUSE_MS
      this.#rereading = this.#replaceBy(load, onChange)
    }
    return this.#rereading ?? Promise.resolve(false)
  }

  async #replaceBy(load: () => Promise<ManagedClient | undefined>, onChange: () => void): Promise<boolean> {
    try {
      const client = await load()
      if (!client) return false
      this.client?.requests.clear()
      this.client = client
      this.#loading = Promise.resolve(client)
      onChange()
      return true
    } catch {
      return false
    } finally {
      this.#rereading = undefined
    }
  }
}
