/** When the stages of a token begin, in milliseconds of the monotonic clock. */
export interface Lifetime {
  readonly expiresAt: number
  readonly lifetimeMs: number
  /** From then on, the next use starts a renewal in the background. */
  readonly renewAt: number
}

/** The last stretch of a token, in which callers wait for its renewal, is at most this share of its lifetime. */
const LARGEST_BUFFER_SHARE = 0.1
/** A token is renewed ahead from this share of its lifetime on, plus or minus the spread. */
const RENEWAL_SHARE = 0.8
const RENEWAL_SPREAD = 0.05

export interface IssuedLifetime {
  /** The latest moment at which the lifetime can have begun. */
  readonly issuedAt: number
  readonly lifetimeMs: number
  /** From 0 to 1. It keeps processes whose tokens have the same age from renewing at the same moment. */
  readonly random: number
  /** How long the endpoint took. The next renewal should be done before the last stretch begins. */
  readonly latencyMs: number
  /** How long after its issue the server wants the token renewed. */
  readonly refreshInMs?: number | undefined
}

export function lifetime({ issuedAt, lifetimeMs, random, latencyMs, refreshInMs }: IssuedLifetime): Lifetime {
  const expiresAt = issuedAt + lifetimeMs
  if (refreshInMs !== undefined) return { lifetimeMs, expiresAt, renewAt: issuedAt + refreshInMs }
  const drawn = RENEWAL_SHARE + RENEWAL_SPREAD * (2 * random - 1)
  const latest = 1 - LARGEST_BUFFER_SHARE - latencyMs / Math.max(lifetimeMs, 1)
  const share = Math.max(Math.min(drawn, latest), RENEWAL_SHARE - RENEWAL_SPREAD)
  return { lifetimeMs, expiresAt, renewAt: issuedAt + lifetimeMs * share }
}

export interface ValidityDemand {
  readonly expirationBufferMs: number
  /** Minimum remaining lifetime. */
  readonly minValidityMs?: number | undefined
}

/** Whether callers have to wait for a new token. */
export function mustRenew(token: Lifetime, now: number, demand: ValidityDemand): boolean {
  return now >= mustRenewAt(token, demand)
}

/** From when on callers have to wait for a new token. */
export function mustRenewAt(token: Lifetime, demand: ValidityDemand): number {
  const buffer = Math.min(demand.expirationBufferMs, token.lifetimeMs * LARGEST_BUFFER_SHARE)
  return token.expiresAt - Math.max(buffer, demandedMs(token, demand))
}

/** Whether the token can still be used when its renewal fails: it has not expired, and lives as long as the caller demands. */
export function isStillValid(token: Lifetime, now: number, demand: Pick<ValidityDemand, 'minValidityMs'>): boolean {
  return now < token.expiresAt - demandedMs(token, demand)
}

/** No new token lives longer than a whole lifetime: a token that is nearly new meets every demand. */
function demandedMs(token: Lifetime, { minValidityMs = 0 }: Pick<ValidityDemand, 'minValidityMs'>): number {
  return Math.min(minValidityMs, token.lifetimeMs * RENEWAL_SHARE)
}

/** Whether it is time to renew the token while callers still use it. */
export function shouldRenew(token: Lifetime, now: number): boolean {
  return now >= token.renewAt
}
