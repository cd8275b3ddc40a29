/** From this share of its remaining lifetime on, each worker wants to renew the token. The earliest ones begin at 25 %. */
const RENEWAL_SHARE = 0.14

/**
 * Where a skip ends: the remaining lifetime of the token at its next stage. Undefined when it has expired.
 *
 * @param lastStretchMs how long the last stretch is, in which calls wait for the renewal
 */
export function remainingAfterSkip(remainingMs: number, lifetimeMs: number, lastStretchMs: number) {
  if (remainingMs <= 0) return undefined
  if (remainingMs > lifetimeMs * RENEWAL_SHARE) {
    return { remainingMs: lifetimeMs * RENEWAL_SHARE, to: 'to the renewal of the token' }
  }
  if (remainingMs > lastStretchMs) {
    return {
      remainingMs: lastStretchMs * 0.9,
      to: 'to the last stretch of the token, in which calls wait for a new one',
    }
  }
  return { remainingMs: -1, to: 'to the expiry of the token' }
}
