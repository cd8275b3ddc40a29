import { type AccessToken, TokenRequestError } from '@tokenward/core'
import type { AuthorizationServer, IssuedToken } from './authorization-server'
import { SECRET_MARK, TOKEN_MARK } from './authorization-server'
import { type Bounds, Calm, SLACK_MS } from './bounds'
import { GrantInvariants } from './grant-invariants'
import { REFRESH_MARK } from './grants'
import type { RequestUnderWay } from './request-under-way'
import type { Scenario } from './scenario'
import type { Host, World } from './world'

/** The store holds whole milliseconds: times are rounded when they are written, and when they are read. */
const STORED_TIME_STEP_MS = 3

export const INVARIANTS = {
  notExpired: 'no caller gets an expired token',
  notDeleted: 'no caller gets a deleted token',
  notRejected: 'no caller gets a rejected token while another can be had',
  servedWhileValid: 'no call fails while its process knows a valid token',
  ends: 'each call ends in time',
  oneRenewal: 'one renewal at a time: in a process always, in the fleet while the store works',
  requestsPerLifetime: 'without faults, at most 1.1 token requests per lifetime',
  outageRate: 'a process sends at most two requests a second to an endpoint that is down',
  fleetOutageRate: 'so does the whole fleet, while the store works',
  recovers: 'after the last fault, all is well in time',
  ownToken: 'no caller gets a token of another client or tenant',
  secrecy: 'no secret is on the wire to the store, and no token in the arguments of a script',
  rightError: 'a call fails with an error that it may fail with',
  noUnhandled: 'no rejection is unhandled',
  newestRefreshToken: 'no refresh token is sent when the store had its successor, unless the store lost it',
  oneRefresh:
    'one use of a grant at a time: in a process always, in the fleet unless the store loses data or a process stops',
  keptGrant: 'no grant is lost, unless a response, a process or the store was',
  newestConsent: 'no refresh token of an old consent is sent',
} as const

export type Invariant = keyof typeof INVARIANTS

export interface Violation {
  readonly invariant: Invariant
  /** When, in simulated milliseconds. */
  readonly at: number
  readonly text: string
}

/** A token that calls ask for. */
export interface Key {
  /** Client and tenant. */
  readonly id: string
  readonly client: string
  readonly tenant: string
}

export interface CallOptions {
  readonly forceRenewal?: boolean
  readonly minValidityMs?: number
}

/** What the invariants know about one key in one process. */
export interface KeyState {
  /** The last token that a caller got, and until when nothing needs to be checked if a caller gets it again. */
  token: AccessToken | undefined
  /** The promise that resolved to it. */
  promise: Promise<AccessToken> | undefined
  fineUntil: number
  /** The token that lives longest of those that callers got. */
  known: IssuedToken | undefined
  /** Tokens that were requested before were deleted by this process itself. */
  forgottenAt: number
  rejected: { readonly value: string; readonly at: number } | undefined
  /** Another process deleted the tokens that were issued before `before`. From `noticedBy` on, this one does not use them. */
  deletion: { readonly before: number; readonly endedAt: number; noticedBy: number } | undefined
}

/** One call for a token. */
export interface Call {
  readonly who: string
  readonly key: Key
  readonly state: KeyState
  readonly options: CallOptions
  startedAt: number
  /** The token that its process knew then. */
  knownBefore: IssuedToken | undefined
  /** The time in which its process had run before. */
  ranBefore: number
  /** How long its process has run until now. */
  readonly ran: () => number
}

/** Checks at each step what must be true whatever happens. */
export class Invariants {
  readonly violations: Violation[] = []
  readonly #world: World
  readonly #scenario: Scenario
  readonly #server: AuthorizationServer
  readonly #bounds: Bounds
  readonly calm: Calm
  readonly grants: GrantInvariants
  /** The requests to an endpoint that is down, of late. */
  readonly #outageRequests: { readonly host: Host; readonly at: number; readonly hasLearned: boolean }[] = []
  /** How many requests of each process failed in this outage, and when the process has learned of it. */
  readonly #learned = new Map<Host, { requests: number; at: number }>()
  readonly #requests = new Map<string, number>()
  outageSince: number | undefined
  mostInOutageSecond = 0

  constructor(world: World, scenario: Scenario, server: AuthorizationServer, bounds: Bounds) {
    this.#world = world
    this.#scenario = scenario
    this.#server = server
    this.#bounds = bounds
    this.calm = new Calm(scenario)
    const { calm } = this
    const broken: Invariants['broken'] = (invariant, text) => this.broken(invariant, text)
    this.grants = new GrantInvariants({ world, scenario, grants: server.grants, bounds, calm, broken })
    server.onRequest = (request) => this.#checkRequest(request)
  }

  broken(invariant: Invariant, text: string): undefined {
    this.violations.push({ invariant, at: this.#world.scheduler.now, text })
    this.#world.log.note(`BROKEN ${invariant}: ${text}`)
    this.#world.scheduler.stop()
  }

  #recoversAt({ client }: Key): number {
    return Math.max(this.#scenario.durationMs + this.#bounds.recoveryMs, this.grants.recoversAt(client))
  }

  /** A call got a token. */
  succeeded(call: Call, token: AccessToken): undefined {
    const { now } = this.#world.scheduler
    const { key, state, who } = call
    const issued = this.#server.issued.get(token.value)
    if (!issued) return this.broken('ownToken', `${who} got a token that nobody issued`)
    if (issued.client !== key.client || issued.tenant !== key.tenant || token.client !== key.client) {
      return this.broken('ownToken', `${who} asked for ${key.id} and got a token of ${issued.client} ${issued.tenant}`)
    }
    const lateMs = now - issued.expiresAt
    if (lateMs >= this.#bounds.expiryToleranceMs(issued.expiresAt - issued.issuedAt)) {
      return this.broken('notExpired', `${who} got ${token.value} ${lateMs.toFixed(1)} ms after its expiry`)
    }
    this.#checkDeleted(call, issued)
    this.#checkRejected(call, issued)
    this.#checkDuration(call)
    state.token = token
    const isPending = state.deletion !== undefined || state.rejected !== undefined
    state.fineUntil = isPending ? now : issued.expiresAt
    const isOlder = state.known && state.known.expiresAt >= issued.expiresAt
    if (!isOlder && call.startedAt >= state.forgottenAt && issued.issuedAt >= state.forgottenAt) state.known = issued
  }

  #checkDeleted({ state, who, startedAt, key }: Call, issued: IssuedToken): undefined {
    const { now } = this.#world.scheduler
    const { options } = this.#scenario
    // A token that could not be written before is written later. Before that it cannot be deleted in the store.
    const since = state.forgottenAt - options.localLifetimeMs - this.#bounds.recoveryMs
    const isOwn = startedAt >= state.forgottenAt && issued.issuedAt < state.forgottenAt
    if (isOwn && this.calm.is(since, now, 'store', 'process')) {
      return this.broken('notDeleted', `${who} got ${issued.value} of ${key.id}, which it had deleted`)
    }
    const { deletion } = state
    if (!deletion || issued.issuedAt >= deletion.before || !options.hasStore) return
    // Without its grant, a client has nothing to replace the token with, and it is still valid.
    if (startedAt <= this.grants.recoversAt(key.client)) return
    if (startedAt > deletion.noticedBy) {
      const from = deletion.before - options.localLifetimeMs - this.#bounds.recoveryMs
      if (this.calm.is(from, now, 'store', 'process', 'endpoint', 'clock')) {
        this.broken('notDeleted', `${who} got ${issued.value} of ${key.id}, which another process had deleted`)
      }
    } else if (startedAt >= deletion.endedAt + options.localLifetimeMs) {
      deletion.noticedBy = Math.min(deletion.noticedBy, now + 2 * this.#bounds.calmCallMs)
    }
  }

  #checkRejected({ key, state, who, startedAt, options }: Call, issued: IssuedToken): void {
    const { rejected } = state
    // Without its grant, a client cannot have another one.
    if (!rejected || startedAt <= this.grants.recoversAt(key.client)) return
    if (issued.value !== rejected.value) {
      state.rejected = undefined
      return
    }
    const { now } = this.#world.scheduler
    // A renewal that takes longer than a second is not waited for while the token is valid.
    const isQuick = this.#bounds.calmCallMs - SLACK_MS < 900
    const from = rejected.at - this.#bounds.recoveryMs
    if (startedAt < rejected.at || options.minValidityMs || !isQuick) return
    if (this.calm.is(from, now, 'store', 'process', 'endpoint', 'clock')) {
      this.broken('notRejected', `${who} got ${issued.value}, which an API had rejected`)
    }
  }

  /** A call failed. */
  failed(call: Call, error: unknown, wasAborted: boolean): undefined {
    const { who, key, state, options } = call
    const { now } = this.#world.scheduler
    this.#checkDuration(call)
    if (wasAborted) return
    if (!(error instanceof TokenRequestError)) return this.broken('rightError', `${who} failed with ${String(error)}`)
    if (error.message.includes(REFRESH_MARK)) return this.broken('secrecy', `a refresh token is in ${error.message}`)
    const isDemanding = options.forceRenewal || options.minValidityMs !== undefined
    if (!isDemanding && this.#isValid(state.known)) {
      return this.broken(
        'servedWhileValid',
        `${who} failed for ${key.id} (${error.error}), and ${state.known?.value} is valid`,
      )
    }
    if (now > this.#recoversAt(key)) this.broken('recovers', `${who} failed for ${key.id}: ${error.message}`)
  }

  #isValid(known: IssuedToken | undefined): boolean {
    if (!known) return false
    // The process counts the lifetime from the moment of its request.
    const lifetimeMs = known.expiresAt - known.issuedAt
    const until = known.requestedAt + lifetimeMs - this.#bounds.expiryToleranceMs(lifetimeMs) - STORED_TIME_STEP_MS
    return this.#world.scheduler.now < until
  }

  #checkDuration(call: Call): undefined {
    const took = call.ran() - call.ranBefore
    if (took > this.#bounds.longestCallMs) {
      return this.broken('ends', `${call.who} waited ${took.toFixed(0)} ms for ${call.key.id}`)
    }
    const isPlain = !call.options.forceRenewal && call.options.minValidityMs === undefined
    const { knownBefore, state } = call
    const wasKnown = knownBefore !== undefined && call.startedAt >= state.forgottenAt && this.#isValid(knownBefore)
    if (isPlain && took > this.#bounds.longestCallWithTokenMs && wasKnown) {
      this.broken('ends', `${call.who} waited ${took.toFixed(0)} ms for ${call.key.id}, and a valid token was known`)
    }
    if (call.startedAt > this.#recoversAt(call.key) && took > this.#bounds.calmCallMs) {
      this.broken('recovers', `${call.who} still waited ${took.toFixed(0)} ms for ${call.key.id}`)
    }
  }

  /** A call has not ended yet. */
  pending(call: Call): void {
    if (call.ran() - call.ranBefore > this.#bounds.longestCallMs) {
      this.broken('ends', `${call.who} still waits for ${call.key.id}`)
    }
  }

  #checkRequest(request: RequestUnderWay): undefined {
    const { now } = this.#world.scheduler
    this.#requests.set(request.key, (this.#requests.get(request.key) ?? 0) + 1)
    for (const other of this.#server.underWay) {
      if (other === request || other.key !== request.key) continue
      // A request goes on when its callers have given up, so that its refresh token is not lost.
      if (this.grants.haveSeveralConsents(other, request)) continue
      if (other.host === request.host) {
        return this.broken('oneRenewal', `${request.host.name} sends a second request for ${request.key}`)
      }
      const from = Math.min(request.since, other.since) - this.#bounds.recoveryMs
      // A process waits for others four times as long as a lease lasts. Then it takes the store to be broken.
      const isShort = this.calm.lengthOf(from, now, 'endpoint') < this.#bounds.leaseMs
      if (
        this.#scenario.options.hasStore &&
        isShort &&
        this.calm.is(from, now, 'store', 'process', 'clock', 'tokens')
      ) {
        const hosts = `${other.host.name} (since ${other.since.toFixed(0)}) and ${request.host.name}`
        return this.broken('oneRenewal', `${hosts} renew ${request.key} at the same time`)
      }
    }
    this.grants.checkRequest(request, this.#server.underWay)
    if (this.outageSince !== undefined) this.#checkOutage(request, now)
  }

  #checkOutage({ host }: RequestUnderWay, now: number): void {
    const since = this.outageSince ?? now
    const { outageWindowMs, mostInOutageWindow, outageLearnedMs, failuresToLearn, longestRequestMs } = this.#bounds
    const learned = this.#learned.get(host) ?? { requests: 0, at: Number.POSITIVE_INFINITY }
    const hasLearned = now > learned.at
    if (++learned.requests === failuresToLearn) learned.at = now + longestRequestMs
    this.#learned.set(host, learned)
    if (now < since + outageLearnedMs) return
    this.#outageRequests.push({ host, at: now, hasLearned })
    while ((this.#outageRequests[0]?.at ?? now) < now - outageWindowMs) this.#outageRequests.shift()
    const count = (isCounted: (request: { host: Host; hasLearned: boolean }) => boolean) =>
      this.#outageRequests.filter(isCounted).length
    const ofHost = count((each) => each.host === host)
    if (ofHost > mostInOutageWindow && this.calm.is(since, now, 'process')) {
      this.broken(
        'outageRate',
        `${host.name} sent ${ofHost} requests in ${outageWindowMs} ms to an endpoint that is down`,
      )
    }
    const ofFleet = count((each) => each.hasLearned)
    this.mostInOutageSecond = Math.max(this.mostInOutageSecond, ofFleet / (outageWindowMs / 1_000))
    const isCalm = this.#scenario.options.hasStore && this.calm.is(since, now, 'process', 'store')
    if (ofFleet > mostInOutageWindow && isCalm) {
      const text = `the fleet sent ${ofFleet} requests in ${outageWindowMs} ms to an endpoint that is down`
      this.broken('fleetOutageRate', text)
    }
  }

  outageBegins(): void {
    this.outageSince = this.#world.scheduler.now
    this.#outageRequests.length = 0
    this.#learned.clear()
  }

  outageEnds(): void {
    this.outageSince = undefined
  }

  /** What goes over the wire to the store. */
  checkWire(command: string, args: readonly string[]): void {
    const isScript = command === 'EVAL'
    // The first argument of a script is its source.
    for (let index = isScript ? 1 : 0; index < args.length; index++) {
      if (args[index]?.includes(SECRET_MARK)) this.broken('secrecy', `a secret is in ${command}`)
      if (isScript && args[index]?.includes(TOKEN_MARK))
        this.broken('secrecy', 'a token is in the arguments of a script')
      if (isScript && args[index]?.includes(REFRESH_MARK))
        this.broken('secrecy', 'a refresh token is in the arguments of a script')
    }
  }

  /** What can only be said when the run is over. */
  checkEnd(): void {
    const { faults, clients, durationMs, quietMs, options } = this.#scenario
    if (faults.length > 0 || !options.hasStore) return
    for (const [key, requests] of this.#requests) {
      const plan = clients[Number(key.split(' ')[0]?.slice(1))]
      if (!plan) continue
      const most = this.#bounds.mostRequests(plan.lifetimeMs, durationMs + quietMs, plan.refreshShare)
      if (requests > most)
        this.broken('requestsPerLifetime', `${requests} requests for ${key}, at most ${most} expected`)
    }
  }
}
