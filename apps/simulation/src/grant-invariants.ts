import type { Bounds, Calm } from './bounds'
import { type Grants, type IssuedRefreshToken, successorsOf } from './grants'
import type { RequestUnderWay } from './request-under-way'
import type { Scenario } from './scenario'
import type { World } from './world'

type GrantInvariant = 'newestRefreshToken' | 'oneRefresh' | 'keptGrant' | 'newestConsent'

export interface GrantInvariantsParts {
  readonly world: World
  readonly scenario: Scenario
  readonly grants: Grants
  readonly bounds: Bounds
  readonly calm: Calm
  readonly broken: (invariant: GrantInvariant, text: string) => undefined
}

/** Checks what must be true of refresh tokens. */
export class GrantInvariants {
  readonly #parts: GrantInvariantsParts
  /** Since when the processes know of the newest consent of a client. */
  readonly #known = new Map<string, { readonly consent: number; readonly at: number }>()
  /** The grants that were lost, and why nobody could have kept them. */
  readonly lost: string[] = []

  constructor(parts: GrantInvariantsParts) {
    this.#parts = parts
    parts.grants.onReuse = (token, isLate) => this.#checkReuse(token, isLate)
  }

  /** The processes know of the newest consent of a client from now on. */
  noteKnown(client: string): void {
    const { grants, world } = this.#parts
    const { number: consent = 0 } = grants.consentOf(client) ?? {}
    this.#known.set(client, { consent, at: world.scheduler.now })
  }

  /** From when on all must be well with a client that lost its grant, and got a new one. */
  recoversAt(client: string): number {
    const { grants, bounds } = this.#parts
    const consent = grants.consentOf(client)
    if (!consent || (consent.number === 1 && !consent.isRevoked)) return 0
    return consent.isRevoked ? Number.POSITIVE_INFINITY : (this.#known.get(client)?.at ?? 0) + bounds.recoveryMs
  }

  /** Whether a person gave a new consent between two requests of a client. */
  haveSeveralConsents(...requests: readonly RequestUnderWay[]): boolean {
    return new Set(requests.map(({ refreshToken = '' }) => this.#parts.grants.find(refreshToken)?.consent)).size > 1
  }

  /** A process sends a refresh token. */
  checkRequest(request: RequestUnderWay, underWay: Iterable<RequestUnderWay>): undefined {
    const { grants, world, broken, calm, bounds } = this.#parts
    const token = grants.find(request.refreshToken ?? '')
    if (!token) return
    const { now } = world.scheduler
    const { host, client } = request
    for (const next of successorsOf(token)) {
      const since = next.request?.since ?? 0
      if (next.fate !== 'stored' || !calm.is(since - bounds.keptLeaseMs, now, 'storedData')) continue
      return broken('newestRefreshToken', `${host.name} sends ${token.value} although the store had ${next.value}`)
    }
    for (const other of underWay) {
      const isSameGrant = other.client === client && !this.haveSeveralConsents(other, request)
      if (other === request || !isSameGrant || !grants.consentOf(client)?.plan.rotates) continue
      const hosts = `${other.host.name} (since ${other.since.toFixed(0)}) and ${host.name}`
      const isExcused = !this.#isShared || !calm.is(other.since - bounds.keptLeaseMs, now, 'storedData', 'pause')
      if (other.host !== host && isExcused) continue
      return broken('oneRefresh', `${hosts} use the grant of ${client} at the same time`)
    }
    const known = this.#known.get(client)
    if (!known || token.consent >= known.consent || now < known.at + bounds.oldConsentMs) return
    if (calm.is(known.at, now, 'pause')) {
      broken('newestConsent', `${host.name} sends ${token.value}, which is of an old consent`)
    }
  }

  /** Whether the processes know of each other. */
  get #isShared(): boolean {
    const { options, processes } = this.#parts.scenario
    return options.hasStore || processes === 1
  }

  #checkReuse(token: IssuedRefreshToken, isLate: boolean): undefined {
    const { world, broken } = this.#parts
    const excuse = isLate ? 'a request came after its process had given up' : this.#excuse(token)
    world.log.note(`${token.value} is used again, and the grant of ${token.client} ends: ${excuse ?? 'no excuse'}`)
    if (excuse === undefined) return broken('keptGrant', `${token.value} of ${token.client} was used again`)
    this.lost.push(excuse)
  }

  /** Why nobody could have known that this refresh token was used already. */
  #excuse(token: IssuedRefreshToken): string | undefined {
    const { calm, bounds, world } = this.#parts
    const { now } = world.scheduler
    const since = Math.min(...token.successors.map(({ request }) => request?.since ?? 0))
    if (!this.#isShared) return 'processes share no store'
    const isStored = token.successors.some(({ fate }) => fate === 'stored')
    if (!isStored && token.successors.some(({ fate }) => fate === 'lost')) return 'a response or a process was lost'
    if (!calm.is(since - bounds.keptLeaseMs, now, 'storedData')) return 'the store lost data'
    if (!calm.is(since - bounds.keptLeaseMs, now, 'pause')) return 'a process was stopped'
    if (!isStored && !calm.is(since, now, 'store')) return 'the store failed'
    return undefined
  }
}
