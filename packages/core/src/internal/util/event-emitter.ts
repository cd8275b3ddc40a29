import type { Logger, TokenEvents, Unsubscribe } from '../../events'

type Listener<Name extends keyof TokenEvents> = (event: TokenEvents[Name]) => void
export type Emit = <Name extends keyof TokenEvents>(name: Name, event: TokenEvents[Name]) => void

const LOG: Record<keyof TokenEvents, [level: keyof Logger, message: string]> = {
  tokenRetrieved: ['debug', 'access token retrieved'],
  tokenRequestFailed: ['warn', 'access token request failed'],
  tokenRejected: ['info', 'access token rejected by an API'],
  nonceRetried: ['debug', 'a request is sent once more with a DPoP nonce'],
  renewalStarted: ['debug', 'access token is renewed ahead of its expiry'],
  storeFailed: ['warn', 'token store failed'],
}

/** Calls the listeners and the logger. What they throw reaches no caller of the manager. */
export class EventEmitter {
  readonly #listeners = new Map<keyof TokenEvents, Set<Listener<never>>>()
  readonly #logger: Logger | undefined

  constructor(logger: Logger | undefined) {
    this.#logger = logger
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

  readonly emit: Emit = (name, event) => {
    const logger = this.#logger
    if (logger) {
      const [level, message] = LOG[name]
      quietly(() => logger[level](`tokenward: ${message}`, event))
    }
    const listeners = this.#listeners.get(name) as Set<Listener<typeof name>> | undefined
    for (const listener of [...(listeners ?? [])]) quietly(() => listener(event))
  }
}

function quietly(tell: () => unknown): void {
  try {
    // A listener may be async. Its rejection must not end the process.
    Promise.resolve(tell()).catch(() => {})
  } catch {}
}
