import { TokenRequestError } from '../../errors'
import type { Logger, TokenEvents } from '../../events'
import type { Emit } from './event-emitter'
import { eventLine, type LoggedEvent, time } from './event-lines'
import { LruMap, Recency } from './lru-map'
import { printable } from './printable'
import { quietly } from './quietly'
import { type StoreFault, storeFault } from './store-fault'

/** A pino logger has it, whichever version of pino made it. */
const PINO = Symbol.for('pino.serializers')

const MOST_REJECTING = 1_000

type AnyEvent = { [Name in keyof TokenEvents]: { name: Name; event: TokenEvents[Name] } }[keyof TokenEvents]

/** Writes events to the user's logger. */
export function eventLog(logger: Logger): Emit {
  const write = PINO in logger ? objectFirst(logger) : logger
  /** What was logged about the store since it last worked: each call of it may fail. */
  const storeFaults = new Set<StoreFault>()
  /** The APIs that were logged because they reject new tokens. Many tenants may be rejected for good, so the oldest are forgotten. */
  const rejecting = new LruMap<true>(new Recency(MOST_REJECTING))

  /** Whether the event says nothing that was not logged before. */
  function isKnown({ name, event }: AnyEvent): boolean {
    if (name === 'newTokenRejected') rejecting.set(apiOf(event), true)
    else if (name === 'tokenAccepted') rejecting.delete(apiOf(event))
    else if (name === 'tokenRejected') return rejecting.peek(apiOf(event)) === true
    else if (name === 'storeRecovered') storeFaults.clear()
    else if (name === 'storeFailed') {
      const fault = storeFault(event)
      const isKnownFault = storeFaults.has(fault)
      storeFaults.add(fault)
      return isKnownFault
    }
    return false
  }

  return (name, event) => {
    const [level, text] = eventLine(name as LoggedEvent, event as TokenEvents[LoggedEvent])
    const shownLevel = isKnown({ name, event } as AnyEvent) ? 'debug' : level
    // Whoever names a client may be a stranger, when the names of tenants come from requests.
    quietly(() => write[shownLevel](`tokenward: ${printable(text)}`, { event: name, ...plain(event) }))
  }
}

function apiOf({ client, origin }: { readonly client: string; readonly origin: string | undefined }): string {
  return JSON.stringify([client, origin])
}

/** The form of pino, which shows an object only when it comes before the message. */
function objectFirst(logger: Logger): Logger {
  type ObjectFirst = (details: object, message: string) => void
  const method = (level: keyof Logger) => (message: string, details: object) =>
    (logger[level] as unknown as ObjectFirst).call(logger, details, message)
  return { debug: method('debug'), info: method('info'), warn: method('warn'), error: method('error') }
}

/** The fields of an event as strings, numbers and booleans, which every log can hold. */
function plain(event: object): Record<string, unknown> {
  const fields = Object.entries(event).flatMap(([name, value]): [string, unknown][] => {
    if (value instanceof Date) return [[name, time(value)]]
    if (!(value instanceof TokenRequestError)) return [[name, value]]
    const { error, errorDescription, status, step, url, retryable } = value
    return Object.entries({ error, errorDescription, status, step, url, retryable })
  })
  return Object.fromEntries(fields.filter(([, value]) => value !== undefined))
}
