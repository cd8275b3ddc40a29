import type { TokenEvents, Unsubscribe } from '../../events'
import { DiagnosticsChannels } from './diagnostics-channels'
import { quietly } from './quietly'

type Listener<Name extends keyof TokenEvents> = (event: TokenEvents[Name]) => void
export type Emit = <Name extends keyof TokenEvents>(name: Name, event: TokenEvents[Name]) => void

/** Calls the listeners, the log and the subscribers of diagnostics channels. What listeners throw reaches no caller of the manager. */
export class EventEmitter {
  readonly #listeners = new Map<keyof TokenEvents, Set<Listener<never>>>()
  readonly #channels = new DiagnosticsChannels()
  readonly #log: Emit | undefined
  readonly #onFirst = new Map<keyof TokenEvents, () => void>()

  /** @param log receives every event but `tokenUsed` */
  constructor(log: Emit | undefined) {
    this.#log = log
  }

  on<Name extends keyof TokenEvents>(name: Name, listener: Listener<Name>): Unsubscribe {
    const listeners = this.#listeners.get(name) ?? new Set()
    // Wrapped, so that a function that is subscribed twice has two subscriptions.
    const subscription: Listener<Name> = (event) => listener(event)
    listeners.add(subscription)
    this.#listeners.set(name, listeners)
    if (listeners.size === 1) this.#onFirst.get(name)?.()
    return () => {
      listeners.delete(subscription)
    }
  }

  /**
   * Whether anyone listens to an event. A fast path that does not emit it reads this when it is set up, not for each call, and is
   * dropped by {@link onFirstListener}.
   */
  isObserved(name: keyof TokenEvents): boolean {
    return Boolean(this.#listeners.get(name)?.size) || this.#channels.observed(name) !== undefined
  }

  /** Calls back whenever the first listener subscribes to the event. */
  onFirstListener(name: keyof TokenEvents, callback: () => void): void {
    this.#onFirst.set(name, callback)
  }

  readonly emit: Emit = (name, event) => {
    if (name !== 'tokenUsed') this.#log?.(name, event)
    const listeners = this.#listeners.get(name) as Set<Listener<typeof name>> | undefined
    if (listeners?.size) for (const listener of [...listeners]) quietly(() => listener(event))
    this.#channels.observed(name)?.publish(event)
  }
}
