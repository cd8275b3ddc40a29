import { TokenRequestError } from '../../errors'
import type { Logger, StoreFailed, TokenEvents } from '../../events'
import type { Emit } from './event-emitter'
import { eventLine, type LoggedEvent, time } from './event-lines'
import { quietly } from './quietly'
import { type StoreFault, storeFault } from './store-fault'

/** A pino logger has it, whichever version of pino made it. */
const PINO = Symbol.for('pino.serializers')

/** Writes events to the user's logger. */
export function eventLog(logger: Logger): Emit {
  const write = PINO in logger ? objectFirst(logger) : logger
  /** What was logged about the store since it last worked: each call of it may fail. */
  const storeFaults = new Set<StoreFault>()

  function isKnown(name: keyof TokenEvents, event: object): boolean {
    if (name === 'storeRecovered') storeFaults.clear()
    if (name !== 'storeFailed') return false
    const fault = storeFault(event as StoreFailed)
    const isKnownFault = storeFaults.has(fault)
    storeFaults.add(fault)
    return isKnownFault
  }

  return (name, event) => {
    const [level, text] = eventLine(name as LoggedEvent, event as TokenEvents[LoggedEvent])
    const shownLevel = isKnown(name, event) ? 'debug' : level
    quietly(() => write[shownLevel](`tokenward: ${text}`, { event: name, ...plain(event) }))
  }
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
