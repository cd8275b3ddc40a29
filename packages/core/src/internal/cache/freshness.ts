/** When a token's times come, in milliseconds of the monotonic clock. */
export interface Lifetime {
  readonly expiresAt: number
  readonly lifetimeMs: number
  /** From here on the next use starts a renewal in the background. */
  readonly renewAt: number
}

/** The last stretch in which a token is no longer handed out is never more than this share of its lifetime. */
const MOST_BUFFER = 0.1
/** A token is renewed ahead from this share of its lifetime on, give or take the spread. */
const RENEWAL_SHARE = 0.8
const RENEWAL_SPREAD = 0.05

/**
 * @param issuedAt the latest moment at which the lifetime can have begun
 * @param random 0 to 1: the draw that keeps processes of the same age from renewing in the same moment
 * @param latencyMs how long the endpoint took; the next renewal should be done before the token may not be handed out
 */
export function lifetime(issuedAt: number, lifetimeMs: number, random: number, latencyMs: number): Lifetime {
  const drawn = RENEWAL_SHARE + RENEWAL_SPREAD * (2 * random - 1)
  const latest = 1 - MOST_BUFFER - latencyMs / Math.max(lifetimeMs, 1)
  const share = Math.max(Math.min(drawn, latest), RENEWAL_SHARE - RENEWAL_SPREAD)
  return { lifetimeMs, expiresAt: issuedAt + lifetimeMs, renewAt: issuedAt + lifetimeMs * share }
}

export interface Demand {
  readonly expirationBufferMs: number
  /** How long the token has to live yet, at least. */
  readonly minValidityMs?: number | undefined
}

/** Whether the token may no longer be handed out. */
export function mustRenew(token: Lifetime, now: number, demand: Demand): boolean {
  const buffer = Math.min(demand.expirationBufferMs, token.lifetimeMs * MOST_BUFFER)
  // No new token lives longer than a whole lifetime: a demand past that is met by one that is just as good as new.
  const validity = Math.min(demand.minValidityMs ?? 0, token.lifetimeMs * RENEWAL_SHARE)
  return now >= token.expiresAt - Math.max(buffer, validity)
}

/** Whether it is time to renew the token while it is still handed out. */
export function shouldRenew(token: Lifetime, now: number): boolean {
  return now >= token.renewAt
}
