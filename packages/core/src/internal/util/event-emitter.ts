import type { TokenEvents, Unsubscribe } from '../../events'
import { type Channel, DiagnosticsChannels } from './diagnostics-channels'
import { quietly } from './quietly'

type Listener<Name extends keyof TokenEvents> = (event: TokenEvents[Name]) => void
export type Emit = <Name extends keyof TokenEvents>(name: Name, event: TokenEvents[Name]) => void

/** Says whether anyone listens to an event. */
export class Observation {
  readonly #listeners: ReadonlySet<unknown>
  readonly #channel: Channel | undefined

  constructor(listeners: ReadonlySet<unknown>, channel: Channel | undefined) {
    this.#listeners = listeners
    this.#channel = channel
  }

  get isObserved(): boolean {
    return this.#listeners.size > 0 || this.#channel?.hasSubscribers === true
  }
}

/** Calls the listeners, the log and the subscribers of diagnostics channels. What listeners throw reaches no caller of the manager. */
export class EventEmitter {
  readonly #listeners = new Map<keyof TokenEvents, Set<Listener<never>>>()
  readonly #channels = new DiagnosticsChannels()
  readonly #log: Emit | undefined

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
    return () => {
      listeners.delete(subscription)
    }
  }

  /** Whether anyone listens to an event: to be read before each of many. */
  observation(name: keyof TokenEvents): Observation {
    const listeners = this.#listeners.get(name) ?? new Set()
    this.#listeners.set(name, listeners)
    return new Observation(listeners, this.#channels.of(name))
  }

  readonly emit: Emit = (name, event) => {
    if (name !== 'tokenUsed') this.#log?.(name, event)
    const listeners = this.#listeners.get(name) as Set<Listener<typeof name>> | undefined
    if (listeners?.size) for (const listener of [...listeners]) quietly(() => listener(event))
    quietly(() => this.#channels.observed(name)?.publish(event))
  }
}
