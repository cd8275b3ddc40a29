import type { MemberEvent } from '../protocol'
import type { EventLog } from './event-log'
import type { Tone } from './live-state'
import { verb } from './names'

/** A line for one worker or several. Workers with the same topic share it. */
interface Line {
  readonly tone: Tone
  readonly topic?: string
  readonly write: (names: string, count: number) => string
}

/** Lines of events. An event without one is shown elsewhere on the page. */
const LINES: {
  readonly [Type in MemberEvent['type']]?: (event: Extract<MemberEvent, { type: Type }>) => Line | undefined
} = {
  activity: ({ activity }) => {
    if (activity === 'renewing') {
      return {
        tone: 'busy',
        topic: 'renewing',
        write: (names, count) => `${names} ${verb(count, 'sends', 'send')} a token request.`,
      }
    }
    if (activity === 'waiting') {
      return {
        tone: 'busy',
        topic: 'waiting',
        write: (names, count) =>
          `${names} ${verb(count, 'waits', 'wait')} for the lease: one worker renews the token at a time.`,
      }
    }
    return undefined
  },
  leaseEnded: ({ how }) =>
    how === 'lost' ? { tone: 'warning', write: (names) => `${names} was too late: its lease had ended.` } : undefined,
  leaseTakenOver: ({ waitedMs }) => ({
    tone: 'warning',
    write: (names, count) =>
      `${names} waited ${(waitedMs / 1_000).toFixed(1)} s, and no token came. ${verb(count, 'It takes', 'They take')} over, and renew${verb(count, 's', '')} it.`,
  }),
  renewalFailed: ({ client, error }) => ({
    tone: 'warning',
    topic: `renewalFailed ${error}`,
    write: (names, count) =>
      `${names} cannot renew the token: ${error}. ${verb(count, 'Its', 'Their')} calls use the current one until it expires.${advice(client, error)}`,
  }),
  tokenUnavailable: ({ client, error }) => ({
    tone: 'bad',
    topic: `tokenUnavailable ${error}`,
    write: (names, count) =>
      `${names} ${verb(count, 'has no valid token, and its', 'have no valid token, and their')} calls fail: ${error}.${advice(client, error)}`,
  }),
  tokenRecovered: () => ({
    tone: 'good',
    write: (names, count) => `${names} ${verb(count, 'gets', 'get')} new tokens again.`,
  }),
  tokenRejected: () => ({ tone: 'warning', write: (names) => `The API rejected the token of ${names} (401).` }),
  newTokenRejected: () => ({
    tone: 'warning',
    write: (names, count) =>
      `The API rejected two new tokens of ${names} in a row. ${verb(count, 'It waits', 'They wait')} before the next request.`,
  }),
  circuitOpened: () => ({
    tone: 'warning',
    write: (names, count) =>
      `For ${names} the token endpoint fails. From now on ${verb(count, 'it sends', 'each sends')} one request at a time, to test it.`,
  }),
  circuitClosed: () => ({ tone: 'good', write: (names) => `For ${names} the token endpoint works again.` }),
  storeFailed: () => ({
    tone: 'warning',
    write: (names, count) => `Redis fails for ${names}. ${verb(count, 'It goes', 'They go')} on without it.`,
  }),
  storeRecovered: () => ({ tone: 'good', write: (names) => `Redis works again for ${names}.` }),
}

/** Writes what happened in a worker into the log. */
export function logEvent(log: EventLog, worker: string, event: MemberEvent, tokenNumber: (id: string) => number): void {
  const line = event.type === 'tokenChanged' ? tokenLine(event, tokenNumber(event.tokenId)) : lineOf(event)
  if (line) log.addOf(worker, line.tone, line.topic ?? event.type, line.write)
}

function lineOf(event: MemberEvent): Line | undefined {
  const write = LINES[event.type] as ((event: MemberEvent) => Line | undefined) | undefined
  return write?.(event)
}

function tokenLine({ source, reason }: Extract<MemberEvent, { type: 'tokenChanged' }>, number: number): Line {
  const from = source === 'store' ? 'from Redis' : `from the token endpoint${REASONS[reason] ?? ''}`
  return {
    tone: 'good',
    topic: `token ${number} ${from}`,
    write: (names, count) => `${names} ${verb(count, 'uses', 'use')} token ${number}, ${from}.`,
  }
}

/** Why a worker requested a token. */
const REASONS: Readonly<Record<string, string>> = {
  ahead: ', renewed ahead',
  expired: ', because the last one had expired',
  rejected: ', because the API rejected the last one',
}

function advice(client: string, error: string): string {
  return error.startsWith('invalid_client') ? ` Check clientId and clientSecret of ${client}.` : ''
}
