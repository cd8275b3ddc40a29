/** What a run can break on purpose. A test shows that the invariants notice each of them. */
export const SABOTAGES = [
  /** The monotonic clock of each process runs at half the speed. */
  'slowClock',
  /** A rejection is not passed on to the manager. */
  'ignoreRejections',
  /** A deletion is not passed on to the manager. */
  'ignoreDeletions',
  /** Each call forces a renewal. */
  'alwaysForce',
  /** No timer of more than 20 ms fires. */
  'noTimers',
  /** Every process gets the lease at once. */
  'leaseForAll',
  /** A process probes an endpoint that is down whether it is its turn or not. */
  'outOfTurn',
  /** After each failure, a process has a new manager, which does not remember it. */
  'forgetFailures',
  /** The last fault does not end. */
  'endlessOutage',
  /** A call gets the token of another client now and then. */
  'mixUp',
  /** The token goes into the arguments of a script. */
  'tokenInScript',
  /** A call fails with an error that is not documented. */
  'wrongError',
  /** A rejection that nobody handles. */
  'unhandledRejection',
  /** A process does not get the refresh tokens that are in the store. */
  'hideRefreshTokens',
  /** Refresh tokens do not get into the store, though the store says so. */
  'dropRefreshTokens',
  /** Every process gets the lease of a refresh token at once. */
  'refreshLeaseForAll',
  /** Processes do not learn of a new consent. */
  'oldConsent',
] as const

export type Sabotage = (typeof SABOTAGES)[number]
