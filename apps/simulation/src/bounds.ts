import { endOf, type Fault, type Scenario } from './scenario'

/*
 * What the invariants allow, and why. Times are in milliseconds. `SLACK_MS` is for messages and timers: it is above every
 * round trip that a scenario without faults can have.
 */

export const SLACK_MS = 1_500

/** The lease for a refresh token outlives the time limit of a token request by this much. */
export const KEPT_LEASE_MARGIN_MS = 2_000
/** A process looks at least this often whether it may use a refresh token. */
const LONGEST_POLL_MS = 750

/** A lease outlives the time limit of a token request by this much. */
const LEASE_MARGIN_MS = 1_000
/** The pauses after a failure (of the circuit breaker, of a renewal, after a rejection) are not longer, but for a quarter of jitter. */
const LONGEST_PAUSE_MS = 30_000 * 1.25
/** A caller whose token is valid waits this long for a renewal. */
const PATIENCE_MS = 1_000
/** A machine that stood still for less is not noticed: its wall clock might have drifted as much. */
const UNNOTICED_SUSPENSION_MS = 1_000
/** The processes of a fleet compare their clocks with the server's to within this. */
const SHARED_TIME_TOLERANCE_MS = 2_500

/** The bounds of one scenario. */
export class Bounds {
  readonly #scenario: Scenario
  readonly leaseMs: number
  readonly keptLeaseMs: number
  /** How long a refresh token of an old consent may still be sent: its request waits for its turn, and is sent. */
  readonly oldConsentMs: number
  /** How long a call may have to wait for other tokens of its grant. */
  readonly sharedGrantMs: number
  /**
   * How long a caller may wait, in the time in which its process ran. It waits for other processes four times as long as a
   * lease lasts, asks the store at each end, and then requests the token: three attempts and the pauses between them end after
   * four time limits. It may have joined a flight that gave it nothing, and then start its own.
   */
  readonly longestCallMs: number
  /** How long a caller may wait whose process has a valid token. A flight that ends in between may make it wait once more. */
  readonly longestCallWithTokenMs = 2 * PATIENCE_MS + SLACK_MS
  /**
   * How long after the last fault some calls may still fail or wait: for the lease of a process that died, and for the longest
   * pause that a failure causes.
   */
  readonly recoveryMs: number
  /** How long a call may take when all is well: it waits for the request of another process, and sends its own. */
  readonly calmCallMs: number
  /** From this long after the beginning of an outage on, every process that asks has learned of it. */
  readonly outageLearnedMs = 10_000
  /** A process knows that the endpoint is down when so many of its requests have failed. */
  readonly failuresToLearn = 3
  /** How long a request may take. */
  readonly longestRequestMs: number
  /** In an outage, at most two requests a second reach an endpoint, on average over this time. */
  readonly outageWindowMs = 10_000
  readonly mostInOutageWindow = 20

  constructor(scenario: Scenario) {
    const { options, network, faults } = scenario
    const { timeoutMs, storeTimeoutMs } = options
    this.#scenario = scenario
    this.longestRequestMs = timeoutMs
    this.leaseMs = timeoutMs + LEASE_MARGIN_MS
    this.keptLeaseMs = timeoutMs + KEPT_LEASE_MARGIN_MS
    this.oldConsentMs = 2 * timeoutMs + SLACK_MS
    const usesRefreshTokens = scenario.clients.some(({ refreshToken }) => refreshToken)
    const others = Math.max(0, ...scenario.clients.map(({ refreshToken, tenants }) => (refreshToken ? tenants : 0)))
    this.sharedGrantMs = others * (1.5 * network.endpointMs + 20 * network.storeMs + LONGEST_POLL_MS)
    this.longestCallMs = 2 * (4 * this.leaseMs + 4 * storeTimeoutMs + 4 * timeoutMs) + SLACK_MS
    const seconds = faults.map((fault) => (fault.kind === 'endpointDown' ? fault.retryAfterSeconds : 0))
    const longestRetryAfterMs = Math.max(0, ...seconds) * 1_250
    this.recoveryMs =
      (usesRefreshTokens ? this.keptLeaseMs : this.leaseMs) + LONGEST_PAUSE_MS + longestRetryAfterMs + 2 * SLACK_MS
    this.calmCallMs = 3 * network.endpointMs + 20 * network.storeMs + SLACK_MS + this.sharedGrantMs
  }

  /**
   * How much later than its real expiry a token may be used, because clocks are wrong. Without faults of clocks it is nothing.
   *
   * - a monotonic clock that drifts: its share of the lifetime, for the process that requested it and the one that uses it
   * - a machine that stands still for less than a second at a time, or whose wall clock is set back meanwhile: neither of its
   *   clocks shows that it stood still
   * - a process that reads a shared token by a wall clock that is behind: as much as that
   * - an endpoint that is slower than its tokens live: a token may expire on its way. After two more tries it is used, because it
   *   may as well be good
   */
  expiryToleranceMs(lifetimeMs: number): number {
    const { faults } = this.#scenario
    const isSetBack = faults.some((fault) => fault.kind === 'clockJump' && fault.byMs < 0)
    let ms = 0
    let unnoticedMs = 0
    for (const fault of faults) {
      if (fault.kind === 'clockDrift') ms += 2 * (lifetimeMs + fault.at) * (Math.abs(fault.ppm) / 1e6)
      if (fault.kind === 'clockJump') ms += Math.abs(fault.byMs)
      if (fault.kind === 'endpointSlow' && 2 * fault.latencyMs > lifetimeMs) ms += fault.latencyMs
      if (fault.kind !== 'pause' || !fault.suspended) continue
      if (isSetBack) unnoticedMs += fault.forMs
      else ms += Math.min(fault.forMs, UNNOTICED_SUSPENSION_MS)
    }
    if (ms + unnoticedMs === 0) return 0
    return Math.min(ms + SHARED_TIME_TOLERANCE_MS, lifetimeMs) + unnoticedMs
  }

  /** Without faults, the fleet renews a token no sooner than after three quarters of its lifetime. */
  mostRequests(lifetimeMs: number, durationMs: number, refreshShare: number): number {
    const share = refreshShare > 0 ? refreshShare : 0.75
    return 1 + 1.1 * Math.ceil(durationMs / (lifetimeMs * share))
  }
}

/** What a fault disturbs, and so which invariants do not hold while it lasts. */
export type Area = 'store' | 'storedData' | 'endpoint' | 'process' | 'pause' | 'clock' | 'api' | 'tokens'

const AREAS: Readonly<Record<Fault['kind'], readonly Area[]>> = {
  crash: ['process'],
  pause: ['process', 'pause'],
  restartAll: ['process'],
  clockJump: ['clock'],
  clockDrift: ['clock'],
  storeSlow: ['store'],
  storeLossy: ['store'],
  storeDown: ['store'],
  storeFlush: ['store', 'storedData'],
  storeFailover: ['store', 'storedData'],
  storeSplit: ['store', 'storedData'],
  storeRubbish: ['store', 'storedData'],
  endpointSlow: ['endpoint'],
  endpointDown: ['endpoint'],
  endpointLossy: ['endpoint'],
  clientRefused: ['endpoint'],
  rotateSecret: ['endpoint'],
  revoke: ['tokens'],
  revokeNewest: ['tokens'],
  apiRejects: ['api', 'tokens'],
  deleteToken: ['tokens'],
  clear: ['tokens'],
  newConsent: ['endpoint'],
}

/** When what is disturbed. */
export class Calm {
  readonly #spans = new Map<Area, { from: number; to: number }[]>()

  constructor({ faults, durationMs, quietMs }: Scenario) {
    for (const fault of faults) {
      // A clock stays wrong.
      const to = AREAS[fault.kind].includes('clock') ? durationMs + quietMs : endOf(fault)
      for (const area of AREAS[fault.kind]) {
        const spans = this.#spans.get(area) ?? []
        spans.push({ from: fault.at, to })
        this.#spans.set(area, spans)
      }
    }
  }

  /** How long faults of this area lasted, all together, that overlap the time between two others. */
  lengthOf(from: number, to: number, area: Area): number {
    const spans = this.#spans.get(area)?.filter((span) => span.from <= to && span.to >= from) ?? []
    return spans.reduce((sum, span) => sum + span.to - span.from, 0)
  }

  /** Whether no fault of these areas happened between two times. */
  is(from: number, to: number, ...areas: readonly Area[]): boolean {
    return areas.every((area) => !this.#spans.get(area)?.some((span) => span.from <= to && span.to >= from))
  }
}
