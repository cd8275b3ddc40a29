import type { Clock } from '../../clock'
import type { StoreLease } from '../../token-store'
import { readKeptEntry } from './kept-entry'
import type { StoreAccess } from './store-access'

/** A lease that is only for one write. */
const LEASE_MS = 2_000
const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 1_000
/** For so long, a process that wants to end is kept alive: no other process has the credential. */
const KEPT_ALIVE_MS = 30_000

/** A credential on its way into the store. */
export interface Unstored {
  readonly text: string
  /** What it replaces in the store. If the store has anything else, a newer credential is there. */
  readonly replaces: string | undefined
  readonly lifetimeMs: number
  /** The right to write it, while it lasts. */
  lease: StoreLease | undefined
  /** Whether a write failed. It may have reached the store nevertheless. */
  hasFailed?: boolean
}

export interface UnstoredCredentialsOptions {
  readonly clock: Clock
  readonly store: StoreAccess
  /** Runs a later attempt while the credential is not in use: other processes must not get it from the store then. */
  alone<T>(key: string, write: () => Promise<T>): Promise<T>
  /** Called with what the store has, when that is newer. */
  onNewer(key: string, text: string): void
}

/** Credentials that are not in the store yet. While it fails, their writes are repeated. */
export class UnstoredCredentials {
  readonly #clock: Clock
  readonly #store: StoreAccess
  readonly #alone: UnstoredCredentialsOptions['alone']
  readonly #onNewer: UnstoredCredentialsOptions['onNewer']
  readonly #unstored = new Map<string, Unstored>()
  readonly #writing = new Map<string, Promise<unknown>>()
  #hasGivenUp = false

  constructor({ clock, store, alone, onNewer }: UnstoredCredentialsOptions) {
    this.#clock = clock
    this.#store = store
    this.#alone = alone
    this.#onNewer = onNewer
  }

  /** Writes a credential. Resolves after the first attempt. */
  async add(key: string, unstored: Unstored): Promise<void> {
    // The store still has what the one before it would have replaced.
    const before = this.#unstored.get(key)
    this.#unstored.set(key, before ? { ...unstored, replaces: before.replaces, lease: before.lease } : unstored)
    if (await this.write(key)) this.#retry(key)
  }

  /** Tries once to write what is not in the store yet, if there is anything. Resolves to what is still not there. */
  async write(key: string): Promise<Unstored | undefined> {
    const unstored = this.#unstored.get(key)
    if (unstored && (await this.#isStored(key, unstored))) this.#unstored.delete(key)
    return this.#unstored.get(key)
  }

  /** Whether the store has the credential now, or a newer one. */
  async #isStored(key: string, unstored: Unstored): Promise<boolean> {
    const { text, replaces, lifetimeMs } = unstored
    if (!this.#store.canLease) return (await this.#store.writeAlone(key, text, lifetimeMs)) === 'kept'
    if (!unstored.lease || unstored.hasFailed) {
      const asked = await this.#store.getOrLeaseAlone(key, LEASE_MS, replaces)
      if (!asked) return false
      const { value, lease } = asked.value ?? {}
      if (value !== undefined && value !== replaces) {
        if (value === text) return true
        // Something else is in its place. That is no newer credential, and may be gone the next time.
        if (readKeptEntry(key, value) === undefined) return false
        this.#onNewer(key, value)
        return true
      }
      unstored.lease = lease ?? unstored.lease
    }
    // The lease is not released when the write fails: nobody else can make use of what is in the store.
    const outcome = unstored.lease && (await this.#store.writeAlone(key, text, lifetimeMs, unstored.lease))
    unstored.hasFailed = outcome === 'failed'
    if (outcome === 'superseded') unstored.lease = undefined
    return outcome === 'kept'
  }

  #retry(key: string): void {
    if (this.#writing.has(key)) return
    const startedAt = this.#clock.monotonic()
    const run = async () => {
      for (let pauseMs = FIRST_PAUSE_MS; !this.#hasGivenUp; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
        const unref = this.#clock.monotonic() - startedAt > KEPT_ALIVE_MS
        await new Promise<void>((resolve) => this.#clock.setTimeout(resolve, pauseMs, { unref }))
        if (!(await this.#alone(key, () => this.write(key)))) break
      }
      this.#writing.delete(key)
    }
    this.#writing.set(key, run())
  }

  /** Resolves when every credential is in the store, or {@link giveUp} was called. */
  async settled(): Promise<void> {
    await Promise.all(this.#writing.values())
  }

  giveUp(): void {
    this.#hasGivenUp = true
  }
}
