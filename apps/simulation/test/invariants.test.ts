import { expect, test } from 'vitest'
import { INVARIANTS, type Invariant } from '../src/invariants'
import type { Sabotage } from '../src/sabotage'
import type { Scenario } from '../src/scenario'
import { brokenBy } from '../src/shrink'
import { down, refreshing, smallScenario } from './support'

// An invariant that cannot fail proves nothing. Each is broken here on purpose.

interface Broken {
  readonly by: Sabotage
  readonly in: Scenario
}

const outage = smallScenario({ faults: [down(20_000, 30_000)] })
const BROKEN: Readonly<Record<Invariant, Broken>> = {
  notExpired: { by: 'slowClock', in: outage },
  notDeleted: {
    by: 'ignoreDeletions',
    in: smallScenario({ faults: [{ kind: 'deleteToken', at: 60_000, process: 0, client: 0 }], durationMs: 61_000 }),
  },
  notRejected: {
    by: 'ignoreRejections',
    in: smallScenario({ faults: [{ kind: 'revoke', at: 60_000, client: undefined }], durationMs: 61_000 }),
  },
  servedWhileValid: { by: 'alwaysForce', in: outage },
  ends: {
    by: 'noTimers',
    in: smallScenario({ faults: [{ kind: 'storeDown', how: 'hangs', at: 20_000, forMs: 40_000 }] }),
  },
  oneRenewal: { by: 'leaseForAll', in: smallScenario() },
  requestsPerLifetime: { by: 'alwaysForce', in: smallScenario({ processes: 1, quietMs: 1_000 }) },
  outageRate: { by: 'forgetFailures', in: { ...outage, processes: 1 } },
  fleetOutageRate: {
    by: 'outOfTurn',
    in: smallScenario({ processes: 16, faults: [down(20_000, 40_000)] }),
  },
  recovers: { by: 'endlessOutage', in: outage },
  ownToken: {
    by: 'mixUp',
    in: smallScenario({
      clients: [
        { lifetimeMs: 20_000, refreshShare: 0, tenants: 0 },
        { lifetimeMs: 20_000, refreshShare: 0, tenants: 0 },
      ],
    }),
  },
  secrecy: { by: 'tokenInScript', in: smallScenario() },
  rightError: { by: 'wrongError', in: smallScenario() },
  noUnhandled: { by: 'unhandledRejection', in: outage },
  newestRefreshToken: { by: 'hideRefreshTokens', in: smallScenario({ clients: [refreshing()] }) },
  oneRefresh: {
    by: 'refreshLeaseForAll',
    in: smallScenario({ clients: [refreshing(2)], network: { ...smallScenario().network, endpointMs: 500 } }),
  },
  keptGrant: { by: 'dropRefreshTokens', in: smallScenario({ clients: [refreshing()] }) },
  newestConsent: {
    by: 'oldConsent',
    in: smallScenario({
      clients: [refreshing()],
      faults: [{ kind: 'newConsent', at: 10_000, client: 0, knownAfterMs: 0 }],
    }),
  },
}

test.for(Object.entries(BROKEN) as [Invariant, Broken][])(
  '%s can fail',
  { timeout: 120_000 },
  async ([invariant, { by, in: scenario }]) => {
    expect(await brokenBy({ ...scenario, sabotage: by }), INVARIANTS[invariant]).toBe(invariant)
    expect(await brokenBy(scenario)).toBeUndefined()
  },
)
