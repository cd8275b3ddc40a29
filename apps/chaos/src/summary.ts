import type { Bounds } from './bounds'
import { INVARIANTS, type Invariant, type Seen } from './invariants'
import type { ChaosResult } from './run'

/** What was seen on one kind of Redis: figures, and a table with a row for each invariant. */
export function summary(result: ChaosResult): string {
  const { on, episodes, faults, calls, tokenRequests, invariants, calmMs, slowestRecoveryMs, wireBytes } = result
  const lines = [
    '',
    `On ${on}: ${episodes} episodes with ${faults} faults, ${calls} calls (${invariants.failedCalls} failed), ${result.apiRequests} API requests,`,
    `${tokenRequests} token requests, ${wireBytes} bytes to and from Redis, ${(calmMs / 1_000).toFixed(0)} s in which every invariant was checked.`,
    `Failed calls: ${[...invariants.failures].map(([outcome, count]) => `${outcome} ${count}`).join(', ') || 'none'}.`,
    `The last call that failed or waited ended ${(slowestRecoveryMs / 1_000).toFixed(1)} s after the last fault of its episode.`,
    ...(result.stalls > 0
      ? [
          `The machine was too busy ${result.stalls} times. What needs a time without faults was not checked around that.`,
        ]
      : []),
    '',
    ...table(result),
  ]
  return lines.join('\n')
}

function table({ invariants, bounds }: ChaosResult): string[] {
  const rows = Object.values(invariants.seen).map((seen) => [
    seen.invariant,
    INVARIANTS[seen.invariant],
    String(seen.checked),
    worst(seen),
    bound(seen.invariant, bounds),
    verdict(seen),
  ])
  const all = [['name', 'invariant', 'checked', 'worst', 'bound', 'result'], ...rows]
  const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0))) ?? []
  return all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

/** An invariant that was never checked says nothing. */
function verdict({ broken, checked }: Seen): string {
  if (broken > 0) return `BROKEN ${broken} times`
  return checked > 0 ? 'holds' : 'not checked'
}

const UNITS: Partial<Record<Invariant, string>> = {
  notExpired: 'ms',
  ends: 'ms',
  recovers: 'ms',
  outageRate: '/s',
  fleetOutageRate: '/s',
  requestsPerLifetime: '',
}

function worst({ invariant, worst }: Seen): string {
  if (worst === undefined) return ''
  const unit = UNITS[invariant] ?? ''
  return unit === 'ms' ? `${Math.round(worst)} ms` : `${worst.toFixed(2)}${unit}`
}

function bound(invariant: Invariant, bounds: Bounds): string {
  switch (invariant) {
    case 'notExpired':
      return `${bounds.expiryToleranceMs} ms`
    case 'ends':
      return `${bounds.longestCallWithTokenMs} ms with a token, else ${bounds.longestCallMs} ms`
    case 'requestsPerLifetime':
      return '1.1'
    case 'outageRate':
    case 'fleetOutageRate':
      return `${bounds.mostInOutageWindow / (bounds.outageWindowMs / 1_000)}/s`
    case 'recovers':
      return `${bounds.calmCallMs} ms a call, from ${bounds.recoveryMs} ms on`
    default:
      return ''
  }
}
