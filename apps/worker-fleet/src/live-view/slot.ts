import type { Member } from '../fleet'
import type { MemberEvent } from '../protocol'
import { failed } from '../table'
import type { Phase, Tone, WorkerState } from './live-state'

/** A place in the fleet. When its process ends, another one with the same name takes it. */
export class Slot {
  readonly name: string
  /** Undefined while the process starts. */
  member: Member | undefined
  /** Whether the API rejected the token that this worker uses. */
  isRejected = false
  #activity: Exclude<Phase, 'starting'> = 'working'
  #starts = 0
  #past = { calls: 0, failures: {} as Record<string, number> }

  constructor(name: string) {
    this.name = name
  }

  get phase(): Phase {
    return this.member ? this.#activity : 'starting'
  }

  get calls(): number {
    return this.#past.calls + (this.member?.counts.calls ?? 0)
  }

  /** How often its calls failed, those of earlier processes included. */
  get failures(): Readonly<Record<string, number>> {
    return sum([this.#past.failures, this.member?.counts.failures ?? {}])
  }

  take(member: Member): void {
    this.member = member
    this.#starts++
    this.#activity = 'working'
  }

  /** Keeps the counts of the process, which has ended. */
  vacate(): void {
    this.#past = { calls: this.calls, failures: this.failures }
    this.member = undefined
    this.isRejected = false
  }

  note(event: MemberEvent): void {
    if (event.type === 'activity') this.#activity = event.activity
    if (event.type === 'tokenRejected') this.isRejected = true
    if (event.type === 'tokenChanged') this.isRejected = false
  }

  state(tokenNumber: (id: string) => number, leaseHolder: string | undefined): WorkerState {
    const token = this.member?.token
    return {
      name: this.name,
      pid: this.member?.pid,
      phase: this.phase,
      tone: this.#tone(),
      text: this.#text(leaseHolder),
      token: token && { number: tokenNumber(token.id), remainingMs: token.remainingMs, isRejected: this.isRejected },
      calls: this.calls,
      failedCalls: failed({ failures: this.failures }),
    }
  }

  get #hasExpiredToken(): boolean {
    return this.member?.token?.remainingMs === 0
  }

  #tone(): Tone {
    return this.phase === 'working' && this.#hasExpiredToken ? 'bad' : TONES[this.phase]
  }

  #text(leaseHolder: string | undefined): string {
    if (!this.member) return this.#starts > 0 ? 'ended, restarts' : 'starts'
    if (this.#activity === 'renewing') return this.member.token ? 'renews the token' : 'requests a token'
    // An earlier process of this worker may have ended while it held the lease.
    const isOther = leaseHolder !== undefined && leaseHolder !== this.name
    if (this.#activity === 'waiting') return isOther ? `waits for ${leaseHolder}` : 'waits for the lease'
    if (this.#hasExpiredToken) return 'no valid token'
    return this.isRejected ? 'token rejected' : 'calls the API'
  }
}

/** Tones of what a worker does. */
const TONES: Readonly<Record<Phase, Tone>> = { working: 'good', renewing: 'busy', waiting: 'warning', starting: 'bad' }

export function sum(records: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sums: Record<string, number> = {}
  for (const [what, count] of records.flatMap((record) => Object.entries(record))) {
    sums[what] = (sums[what] ?? 0) + count
  }
  return sums
}
