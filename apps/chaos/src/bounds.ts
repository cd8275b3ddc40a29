import { LONGEST_RETRY_AFTER_SECONDS } from './plan'

/*
 * What the invariants allow, and why. Times are in milliseconds. The formulas are those of the simulation; the slack is for a machine
 * that is busy.
 */

/** For messages, timers and other processes of the machine. */
const SLACK_MS = 3_000
/** A lease outlives the time limit of a token request by this much. */
const LEASE_MARGIN_MS = 1_000
/** A caller whose token is valid waits this long for a renewal. */
const PATIENCE_MS = 1_000
/** Redis clients try to connect again after two seconds at the latest. */
const RECONNECT_MS = 2_000
/** The pauses after outages of twenty seconds and after two revocations in a row, with jitter. */
const LONGEST_PAUSE_MS = Math.max(5_000, LONGEST_RETRY_AFTER_SECONDS * 1_250)
/** The share of its lifetime in which a token is not renewed. */
const SHORTEST_USE_SHARE = 0.75

export interface BoundsOptions {
  readonly lifetimeMs: number
  /** The time limit of a token request. */
  readonly timeoutMs: number
  /** The time limit of a store operation. */
  readonly storeTimeoutMs: number
  /** How late the token endpoint responds. */
  readonly latencyMs: number
}

export class Bounds {
  readonly lifetimeMs: number
  readonly timeoutMs: number
  readonly latencyMs: number
  readonly leaseMs: number
  /** The longest wait: four leases of others, and three requests with their pauses, all of it once more for a caller that joined late. */
  readonly longestCallMs: number
  /** The longest wait of a caller whose process has a valid token. A renewal that ends in between may make it wait once more. */
  readonly longestCallWithTokenMs = 2 * PATIENCE_MS + SLACK_MS
  /** How long after the last fault calls may still fail or wait. */
  readonly recoveryMs: number
  /** How long a call may take when all is well. */
  readonly calmCallMs: number
  /** How much later than its expiry a token may be sent: the time from the check to the request, in which the machine may run something else. */
  readonly expiryToleranceMs = 500
  /** A process knows that the endpoint is down when so many of its requests have failed. */
  readonly failuresToLearn = 3
  /** In an outage, at most two requests a second reach the endpoint, on average over this time. */
  readonly outageWindowMs = 10_000
  readonly mostInOutageWindow = 20
  /** The server notices a little later that a process has given up its request. */
  readonly noticeMs = 500

  constructor({ lifetimeMs, timeoutMs, storeTimeoutMs, latencyMs }: BoundsOptions) {
    this.lifetimeMs = lifetimeMs
    this.timeoutMs = timeoutMs
    this.latencyMs = latencyMs
    this.leaseMs = timeoutMs + LEASE_MARGIN_MS
    this.longestCallMs = 2 * (4 * this.leaseMs + 4 * storeTimeoutMs + 4 * timeoutMs) + SLACK_MS
    this.recoveryMs = this.leaseMs + LONGEST_PAUSE_MS + RECONNECT_MS + SLACK_MS
    this.calmCallMs = 3 * latencyMs + SLACK_MS
  }

  /** A token request that takes longer is as good as a slow endpoint: its callers use the old token after a second. */
  get slowRequestMs(): number {
    return Math.min(0.7 * PATIENCE_MS, this.timeoutMs)
  }

  /** How many lifetimes fit into a time, when each token is renewed as early as possible. */
  lifetimes(ms: number): number {
    return ms / (SHORTEST_USE_SHARE * this.lifetimeMs)
  }

  /** The most requests for one token in a time without faults. The first may come at once. */
  mostRequests(ms: number): number {
    return 1 + 1.1 * this.lifetimes(ms)
  }
}
