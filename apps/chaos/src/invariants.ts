import type { CallRecord, CallReport } from '@tokenward/worker-fleet'
import type { Bounds } from './bounds'
import { ALL_AREAS, type Calm } from './calm'
import type { IssuedToken, Target, TokenRequest } from './observations'
import { OutageRequests } from './outage-requests'
import { type ProcessTokens, TokenKnowledge } from './token-knowledge'

/** The names are those of the simulation. */
export const INVARIANTS = {
  notExpired: 'no caller gets an expired token',
  notRejected: 'no caller gets a rejected token while another can be had',
  servedWhileValid: 'no call fails while its process knows a valid token',
  ends: 'each call ends in time',
  oneRenewal: 'one renewal at a time: in a process always, in the fleet while the store works',
  requestsPerLifetime: 'without faults, at most 1.1 token requests per lifetime',
  outageRate: 'a process sends at most two requests a second to an endpoint that is down',
  fleetOutageRate: 'so does the whole fleet, while the store works',
  recovers: 'after the last fault, all is well in time',
  ownToken: 'no caller gets a token of another client or scope',
  secrecy: 'no secret is in clear on the wire to Redis',
  rightError: 'a call fails with an error that it may fail with',
  noUnhandled: 'no process ends by itself',
} as const

export type Invariant = keyof typeof INVARIANTS

export interface Violation {
  readonly invariant: Invariant
  readonly at: number
  readonly text: string
}

/** What an invariant was checked with. */
export interface Seen {
  readonly invariant: Invariant
  /** How many observations it was checked with. */
  checked: number
  /** The value that came closest to the bound. */
  worst: number | undefined
  broken: number
}

export interface InvariantsOptions {
  readonly bounds: Bounds
  readonly calm: Calm
  readonly targets: readonly Target[]
  readonly issued: (tokenId: string) => IssuedToken | undefined
  readonly onBroken?: (violation: Violation) => void
}

/** The time limit of a request begins a little earlier than the request is sent. */
const TIMER_TOLERANCE_MS = 200

/** A token is sent so soon after it was checked, apart from the time in which the process stood still. */
const STANDSTILL_MS = 1_000

/** Checks what the endpoint, the APIs, Redis and the processes have seen. */
export class Invariants {
  readonly violations: Violation[] = []
  readonly seen: Readonly<Record<Invariant, Seen>>
  readonly #options: InvariantsOptions
  readonly #bounds: Bounds
  readonly #calm: Calm
  readonly #knowledge: TokenKnowledge
  readonly #outage: OutageRequests
  /** The requests of late, and those among them that were compared with the others. */
  #requests: TokenRequest[] = []
  readonly #checked = new WeakSet<TokenRequest>()
  /** The last call that failed or waited for long. */
  lastTrouble = { at: 0, text: '' }
  failedCalls = 0
  /** How many calls ended in which way, other than well. */
  readonly failures = new Map<string, number>()

  constructor(options: InvariantsOptions) {
    this.#options = options
    this.#bounds = options.bounds
    this.#calm = options.calm
    this.#knowledge = new TokenKnowledge(options)
    this.#outage = new OutageRequests(options.bounds)
    const names = Object.keys(INVARIANTS) as Invariant[]
    const entries = names.map((invariant) => [invariant, { invariant, checked: 0, worst: undefined, broken: 0 }])
    this.seen = Object.fromEntries(entries)
  }

  /** Notes that an invariant was checked, and with which value. */
  #check(invariant: Invariant, isBroken: boolean, at: number, text: () => string, value?: number): void {
    const seen = this.seen[invariant]
    seen.checked++
    if (value !== undefined) seen.worst = Math.max(seen.worst ?? value, value)
    if (!isBroken) return
    seen.broken++
    const violation = { invariant, at, text: text() }
    this.violations.push(violation)
    this.#options.onBroken?.(violation)
  }

  /** What a process reports about its calls. */
  report(process: string, { calls, stalls, pending }: CallReport, at: number): void {
    const known = this.#knowledge.of(process)
    known.stalls.push(...stalls)
    for (const call of [...calls].sort((a, b) => a.endedAt - b.endedAt)) this.#call(process, known, call)
    for (const { target, startedAt } of pending) {
      const ranMs = known.ranBetween(startedAt, at)
      this.#check(
        'ends',
        ranMs > this.#bounds.longestCallMs,
        at,
        () => `${process} still waits for ${target} after ${ms(ranMs)}`,
      )
    }
  }

  #call(process: string, known: ProcessTokens, call: CallRecord): void {
    const { target, startedAt, endedAt, outcome } = call
    const who = `${process} (${target}, from ${ms(startedAt)} to ${ms(endedAt)})`
    this.#checkSent(who, known, call)
    const validBefore = known.valid(target, startedAt, endedAt)
    const isOk = outcome === '200'
    // The APIs may take their time. This is about the wait for tokens.
    const apiMs = call.sent.reduce((sum, sent) => sum + known.ranBetween(sent.at, sent.endedAt), 0)
    const ranMs = known.ranBetween(startedAt, endedAt) - apiMs
    this.#checkDuration(who, ranMs, call, validBefore !== undefined)
    if (!isOk) {
      this.failedCalls++
      this.failures.set(outcome, (this.failures.get(outcome) ?? 0) + 1)
      const isTokenError = outcome.startsWith('TokenRequestError')
      this.#check('rightError', !isTokenError && outcome !== '401', endedAt, () => `${who} ended with ${outcome}`)
      if (isTokenError) {
        const valid = known.valid(target, endedAt, endedAt)
        this.#check(
          'servedWhileValid',
          valid !== undefined,
          endedAt,
          () => `${who}: ${outcome}, and token ${valid} is valid`,
        )
      } else if (outcome === '401') {
        const isCalm = this.#isCalmApartFromOneRevocation(startedAt, endedAt)
        if (isCalm) this.#check('notRejected', true, endedAt, () => `${who} got the API's 401`)
      }
    } else this.#check('servedWhileValid', false, endedAt, () => '')
    const isBad = !isOk || ranMs > this.#bounds.calmCallMs
    if (isBad && endedAt > this.lastTrouble.at) {
      this.lastTrouble = { at: endedAt, text: `${target} of ${process} waited ${ms(ranMs)}: ${outcome}` }
    }
    if (this.#calm.is(startedAt - this.#bounds.recoveryMs, endedAt, ...ALL_AREAS)) {
      this.#check('recovers', isBad, endedAt, () => `${who} ended with ${outcome} after ${ms(ranMs)}`, ranMs)
    }
    known.learn(call)
  }

  #checkSent(who: string, known: ProcessTokens, { target, startedAt, sent }: CallRecord): void {
    const wanted = this.#options.targets.find(({ name }) => name === target)
    for (const { tokenId, at } of sent) {
      const token = this.#options.issued(tokenId)
      if (!token) {
        this.#check('ownToken', true, at, () => `${who} sent a token that was not issued`)
        continue
      }
      const isOwn = token.clientId === wanted?.clientId && token.scope === wanted?.scope
      this.#check('ownToken', !isOwn, at, () => `${who} sent a token of ${token.clientId} for ${token.scope}`)
      // A process that stood still between the check and the request could not know.
      const stoodStillMs = STANDSTILL_MS - known.ranBetween(at - STANDSTILL_MS, at)
      const lateMs = at - token.expiresAt - stoodStillMs
      this.#check(
        'notExpired',
        lateMs > this.#bounds.expiryToleranceMs,
        at,
        () => `${who} sent token ${tokenId} ${ms(lateMs)} after its expiry`,
        lateMs,
      )
      const rejectedAt = known.rejectedAt(target, tokenId)
      if (rejectedAt === undefined || startedAt <= rejectedAt) continue
      if (!this.#isCalmApartFromOneRevocation(rejectedAt, at)) continue
      this.#check('notRejected', true, at, () => `${who} sent token ${tokenId}, which an API had rejected`)
    }
    const wasRejected = sent.some(({ status }) => status === 401)
    if (wasRejected) this.#check('notRejected', false, startedAt, () => '')
  }

  /** Whether a rejected token can be replaced at once: all else works, and no other token was rejected shortly before. */
  #isCalmApartFromOneRevocation(from: number, to: number): boolean {
    const since = from - this.#bounds.recoveryMs
    const isCalm = this.#calm.is(since, to, 'store', 'process', 'endpoint', 'machine')
    return isCalm && this.#calm.count(since, to, 'tokens') <= 1
  }

  #checkDuration(who: string, ranMs: number, { sent, endedAt }: CallRecord, hasToken: boolean): void {
    const { longestCallMs, longestCallWithTokenMs } = this.#bounds
    const wasRejected = sent.some(({ status }) => status === 401)
    const most = hasToken && !wasRejected ? longestCallWithTokenMs : longestCallMs
    const what = most === longestCallMs ? '' : ', and a valid token was known'
    this.#check('ends', ranMs > most, endedAt, () => `${who} took ${ms(ranMs)}${what}`, ranMs)
  }

  /** A request has reached the token endpoint. Its end is set later. */
  tokenRequestBegan(request: TokenRequest): void {
    this.#requests.push(request)
    this.#checkOutage(request)
  }

  /** A request that was under way has ended. */
  tokenRequestEnded(request: TokenRequest): void {
    this.#outage.ended(request)
    const endedAt = request.endedAt ?? request.at
    // The machine, or an endpoint that is slow on purpose. Callers do not wait for it.
    if (endedAt - request.at > this.#bounds.slowRequestMs) this.#calm.add('endpoint', request.at, endedAt)
  }

  /** Checks which requests were under way at the same time, once their ends are known. */
  checkRequests(at: number): void {
    for (const request of this.#requests) {
      if (this.#checked.has(request) || request.at > at - this.#bounds.noticeMs) continue
      this.#checked.add(request)
      for (const other of this.#requests)
        if (other !== request && other.at <= request.at) this.#checkPair(request, other)
      this.#check('oneRenewal', false, at, () => '')
    }
    const since = at - 2 * this.#bounds.timeoutMs - this.#bounds.noticeMs
    this.#requests = this.#requests.filter((request) => request.at > since)
  }

  /** @param other came before */
  #checkPair({ process, target, at }: TokenRequest, other: TokenRequest): void {
    const { leaseMs, recoveryMs, noticeMs, timeoutMs } = this.#bounds
    // The server may notice late that a process has given up.
    const toleranceMs = other.status === 0 ? noticeMs : 0
    const isOver = other.endedAt !== undefined && other.endedAt <= at + toleranceMs
    if (other.target !== target || isOver || at - other.at >= timeoutMs - TIMER_TOLERANCE_MS) return
    if (!this.#calm.is(other.at - timeoutMs, at, 'machine')) return
    if (other.process === process) {
      this.#check('oneRenewal', true, at, () => `${process} sends a second request for ${target}`)
      return
    }
    const from = other.at - recoveryMs
    // A process waits for others four times as long as a lease lasts. Then it takes the store to be broken.
    const isShort = this.#calm.lengthOf(from, at, 'endpoint') < leaseMs
    if (!isShort || !this.#calm.is(from, at, 'store', 'process', 'tokens', 'machine')) return
    this.#check('oneRenewal', true, at, () => `${other.process} and ${process} renew ${target} at the same time`)
  }

  outageBegan(at: number): void {
    this.#outage.began(at)
  }

  outageOver(): void {
    this.#outage.over()
  }

  #checkOutage(request: TokenRequest): void {
    const since = this.#outage.since
    if (since === undefined) return
    const { at, process } = request
    const { mostInOutageWindow: most, outageWindowMs } = this.#bounds
    const { ofProcess, ofFleet } = this.#outage.count(request)
    const rate = (count: number) => count / (outageWindowMs / 1_000)
    const text = (count: number) => `${count} requests in ${outageWindowMs} ms to an endpoint that is down`
    this.#check('outageRate', ofProcess > most, at, () => `${process}: ${text(ofProcess)}`, rate(ofProcess))
    if (!this.#calm.is(since, at, 'store', 'process', 'machine')) return
    this.#check('fleetOutageRate', ofFleet > most, at, () => `the fleet: ${text(ofFleet)}`, rate(ofFleet))
  }

  /** A time without faults is over, in which a token was requested so many times. */
  stretch(target: string, from: number, to: number, requests: number): void {
    if (!this.#calm.is(from - this.#bounds.recoveryMs, to, ...ALL_AREAS)) return
    const most = this.#bounds.mostRequests(to - from)
    const text = () => `${requests} requests for ${target} in ${ms(to - from)}, at most ${most.toFixed(1)} expected`
    this.#check('requestsPerLifetime', requests > most, to, text, (requests - 1) / this.#bounds.lifetimes(to - from))
  }

  /** When all processes used the same token again after the last fault; undefined: not until `at`. */
  shared(lastFaultAt: number, sharedAt: number | undefined, at: number): void {
    if (!this.#calm.is(lastFaultAt + 1, at, ...ALL_AREAS)) return
    const text = () => `the processes still use different tokens ${ms(at - lastFaultAt)} after the last fault`
    this.#check('recovers', sharedAt === undefined, at, text)
  }

  /** So many bytes went over the wire, and with them these secrets. */
  wire(chunks: number, secrets: readonly string[], at: number): void {
    this.seen.secrecy.checked += chunks
    for (const secret of secrets) this.#check('secrecy', true, at, () => `${secret} is in clear on the wire to Redis`)
  }

  /** A process has ended that nobody killed. */
  endedByItself(process: string, at: number): void {
    this.#check('noUnhandled', true, at, () => `${process} ended by itself`)
  }

  processStarted(): void {
    this.seen.noUnhandled.checked++
  }

  processGone(process: string): void {
    this.#knowledge.forget(process)
  }
}

function ms(value: number): string {
  return `${Math.round(value)} ms`
}
