import type { MemberEvent } from '../protocol'
import type { EventLog } from './event-log'
import { verb } from './names'

/** Writes what happened in a worker into the log. Workers that do the same share a line. */
export function logEvent(log: EventLog, worker: string, event: MemberEvent, tokenNumber: (id: string) => number): void {
  switch (event.type) {
    case 'activity':
      if (event.activity === 'renewing') {
        log.addOf(
          worker,
          'busy',
          'renews',
          (names, count) => `${names} ${verb(count, 'sends', 'send')} a token request.`,
        )
      }
      if (event.activity === 'waiting') {
        const waits = (count: number) => verb(count, 'waits', 'wait')
        log.addOf(
          worker,
          'busy',
          'waits',
          (names, count) => `${names} ${waits(count)}: another worker holds the lease.`,
        )
      }
      return
    case 'leaseEnded':
      if (event.how === 'lost') {
        log.addOf(worker, 'warning', 'lost', (names) => `${names} was too late: its lease had ended.`)
      }
      return
    case 'tokenChanged': {
      const number = tokenNumber(event.tokenId)
      const from = event.source === 'endpoint' ? 'from the token endpoint' : 'from Redis'
      log.addOf(
        worker,
        'good',
        `uses ${number} ${from}`,
        (names, count) => `${names} ${verb(count, 'uses', 'use')} token ${number}, ${from}.`,
      )
      return
    }
    case 'tokenRequestFailed':
      log.addOf(worker, 'warning', `failed ${event.error}`, (names, count) => {
        const cause = event.error.startsWith('invalid_client')
          ? `: check clientId and clientSecret of ${event.client}`
          : ''
        return `The token ${verb(count, 'request', 'requests')} of ${names} failed with ${event.error}${cause}.`
      })
      return
    case 'tokenRejected':
      log.addOf(worker, 'warning', 'rejected', (names) => `The API rejected the token of ${names} (401).`)
      return
    case 'storeFailed':
      log.addOf(
        worker,
        'warning',
        'store',
        (names, count) => `Redis fails for ${names}. ${verb(count, 'It goes', 'They go')} on without it.`,
      )
      return
    case 'callFailed':
      log.addOf(worker, 'bad', `call ${event.reason}`, (names) => `Calls of ${names} failed: ${event.reason}.`)
      return
    case 'leaseTaken':
    case 'tokenResponse':
  }
}
