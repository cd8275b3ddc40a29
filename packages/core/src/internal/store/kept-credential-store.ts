import type { Clock } from '../../clock'
import { TokenRequestError } from '../../errors'
import type { KeptCredential, KeptCredentials } from '../../kept-credentials'
import type { StoreLease } from '../../token-store'
import { untilAborted } from '../util/abort'
import type { KeptScope } from '../util/kept-scope'
import { PollPauses } from '../util/poll-pauses'
import { SerialWork } from '../util/serial-work'
import { sha256 } from '../util/sha256'
import { sleep, withLimit } from '../util/time-limit'
import { readKeptEntry, writeKeptEntry } from './kept-entry'
import type { StoreAccess } from './store-access'
import { UnstoredCredentials } from './unstored-credentials'

/** The lease outlives the use that it is for, so that the credential can be written under it. */
const LEASE_MARGIN_MS = 2_000
/** A store that fails for longer fails the use: there is nothing to go on with. */
const STORE_PATIENCE_MS = 2_000
/**
 * After an outage, a process whose write failed writes again within this time. Its lease may be over: until then, nobody else takes what is
 * in the store for the newest.
 */
const SETTLE_MS = 2_500
/** So many entries are remembered, so that the store need not be asked twice. */
const MOST_SEEN = 10_000

/** The right to use a credential. */
interface Held {
  readonly value: string | undefined
  /** What is in the store, as this process knows it. */
  readonly text: string | undefined
  /** Undefined: the store has no leases, or there is no store. */
  readonly lease?: StoreLease | undefined
  /** When the right ends, by the monotonic clock. Undefined: never. */
  readonly until?: number
}

/** Keeps the credentials of requesters in the store, and lends each of them to one use at a time. */
export class KeptCredentialStore {
  readonly #clock: Clock
  readonly #random: () => number
  readonly #store: StoreAccess | undefined
  readonly #serial = new SerialWork()
  /** What this process has last seen under a key: in the store, or instead of one. */
  readonly #seen = new Map<string, string>()
  readonly #unstored: UnstoredCredentials | undefined

  constructor(clock: Clock, random: () => number, store: StoreAccess | undefined) {
    this.#clock = clock
    this.#random = random
    this.#store = store
    this.#unstored =
      store &&
      new UnstoredCredentials({
        clock,
        store,
        alone: (key, write) => this.#serial.run(key, write),
        onNewer: (key, text) => this.#note(key, text),
      })
  }

  of(scope: KeptScope): KeptCredentials {
    return {
      use: async (id, use) => {
        const key = await sha256(`kept ${JSON.stringify([scope.owner, id])}`)
        const work = this.#serial.run(key, () => this.#use(key, scope, use))
        return untilAborted(work, scope.signal)
      },
    }
  }

  async #use<T>(key: string, scope: KeptScope, use: (credential: KeptCredential) => Promise<T>): Promise<T> {
    scope.signal.throwIfAborted()
    let held = await this.#hold(key, scope)
    let isKept = false
    const keep = async (value: string, lifetimeMs: number) => {
      isKept = true
      await this.#keep(key, held, value, lifetimeMs)
    }
    const newer = async () => {
      const text = (await this.#store?.get(key))?.value
      const value = text === held.text ? undefined : readKeptEntry(key, text)
      if (value !== undefined) held = { ...held, value, text: text as string }
      return value
    }
    // The time limit only counts the time in which this process ran.
    const sending = () => {
      if (this.#clock.monotonic() > (held.until ?? Number.POSITIVE_INFINITY)) {
        throw unavailable(scope.client, 'this process was stopped for too long')
      }
    }
    let limit: AbortSignal | undefined
    const run = (signal: AbortSignal) => {
      limit = signal
      return use({ value: held.value, signal, sending, keep, newer })
    }
    try {
      return await withLimit(this.#clock, scope.limitMs, () => scope.timeout(limit), run)
    } finally {
      if (!isKept) void this.#store?.release(key, held.lease)
    }
  }

  /** Waits for the right to use the credential. */
  async #hold(key: string, scope: KeptScope): Promise<Held> {
    const store = this.#store
    if (!store) return this.#read(key, this.#seen.get(key), scope)
    if (!store.canLease) return this.#holdAlone(store, key, scope)
    let text = this.#seen.get(key)
    const leaseMs = scope.limitMs + LEASE_MARGIN_MS
    const startedAt = this.#clock.monotonic()
    const pauses = new PollPauses(this.#random)
    for (;;) {
      // What only this process knows is not used: a write that failed may have reached the store, and another process may have used it.
      const isStored = !(await this.#unstored?.write(key))
      const askedAt = this.#clock.monotonic()
      // A store that fails again and again must not stop renewals for good.
      const isSettled = store.worksForMs >= SETTLE_MS || askedAt - startedAt > 2 * SETTLE_MS
      const ask = () => (isSettled ? store.getOrLeaseAlone(key, leaseMs, text) : isReadable(store, key))
      const asked = isStored ? await ask() : undefined
      const isHopeless = !asked && this.#clock.monotonic() - startedAt > STORE_PATIENCE_MS
      if (isHopeless) throw unavailable(scope.client, 'the store failed')
      const { value, lease } = asked?.value ?? {}
      if (asked?.value?.lease && asked.value.unreadable) {
        void store.release(key, lease)
        throw unavailable(scope.client, 'the store holds one that cannot be read')
      }
      if (lease) return { ...this.#read(key, text, scope, lease), until: askedAt + leaseMs - LEASE_MARGIN_MS / 2 }
      if (value === undefined || value === text) await sleep(this.#clock, pauses.next(), scope.signal)
      else text = this.#read(key, value, scope).text
      scope.signal.throwIfAborted()
    }
  }

  /** Without leases there is one process, and it knows what it has kept. */
  async #holdAlone(store: StoreAccess, key: string, scope: KeptScope): Promise<Held> {
    const unstored = await this.#unstored?.write(key)
    if (unstored) return this.#read(key, unstored.text, scope)
    const text = this.#seen.get(key)
    const got = await store.get(key)
    if (!got && text === undefined) throw unavailable(scope.client, 'the store failed')
    return this.#read(key, got?.value ?? text, scope)
  }

  /** The entry of the last use, or of the newest in the store. */
  #note(key: string, text: string): void {
    this.#seen.delete(key)
    this.#seen.set(key, text)
    const [oldest] = this.#seen.keys()
    // Without a store, this is the only place.
    if (this.#store && this.#seen.size > MOST_SEEN && oldest !== undefined) this.#seen.delete(oldest)
  }

  /** @param text what the store returned, which may be of any type */
  #read(key: string, text: unknown, { client }: KeptScope, lease?: StoreLease): Held {
    if (text === undefined) return { value: undefined, text, lease }
    const value = readKeptEntry(key, text)
    if (value === undefined || typeof text !== 'string') {
      void this.#store?.release(key, lease)
      throw unavailable(client, 'the store holds something else in its place')
    }
    this.#note(key, text)
    return { value, text, lease }
  }

  async #keep(key: string, held: Held, value: string, lifetimeMs: number): Promise<void> {
    const text = writeKeptEntry(key, value)
    this.#note(key, text)
    // Before the first write: from then on, the credential is in use nowhere else.
    await this.#unstored?.add(key, { text, replaces: held.text, lifetimeMs, lease: held.lease })
  }

  /** Resolves when no use is under way, and every credential is in the store. At most after `limitMs`. */
  async settled(limitMs: number): Promise<void> {
    const work = Promise.all([this.#serial.settled(), this.#unstored?.settled()])
    await withLimit(
      this.#clock,
      limitMs,
      () => undefined,
      () => work,
    ).catch(() => {})
    this.#unstored?.giveUp()
  }
}

/** Like a look that found nothing new, when the store can be read. */
async function isReadable(store: StoreAccess, key: string): Promise<{ readonly value: undefined } | undefined> {
  return (await store.get(key)) && { value: undefined }
}

function unavailable(client: string, why: string): TokenRequestError {
  const errorDescription = `the kept refresh token is not known: ${why}. An older one is not sent, because servers revoke a grant for that`
  return new TokenRequestError({ client, error: 'credential_unavailable', errorDescription, retryable: true })
}
