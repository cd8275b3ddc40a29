import type { Fault, Scenario } from '../src/scenario'

/** A small scenario without faults: four processes, one client whose tokens live for 20 seconds. */
export function smallScenario(changes: Partial<Scenario> = {}): Scenario {
  return {
    seed: 1,
    processes: 4,
    clients: [{ lifetimeMs: 20_000, refreshShare: 0, tenants: 0 }],
    durationMs: 60_000,
    quietMs: 60_000,
    options: {
      hasStore: true,
      timeoutMs: 2_000,
      storeTimeoutMs: 250,
      localLifetimeMs: 5_000,
      expirationBufferMs: 60_000,
    },
    network: { storeMs: 1, endpointMs: 20, apiMs: 5, replicationMs: 5 },
    traffic: { visitEveryMs: 200, callsPerVisit: 5, isDemanding: false },
    faults: [],
    ...changes,
  }
}

/** A client whose grant ends when a refresh token is used twice. */
export const refreshing = (tenants = 0): Scenario['clients'][number] => ({
  lifetimeMs: 20_000,
  refreshShare: 0,
  tenants,
  refreshToken: { rotates: true, graceMs: 0 },
})

export const down = (at: number, forMs: number): Fault => ({
  kind: 'endpointDown',
  at,
  forMs,
  how: 'refused',
  retryAfterSeconds: 0,
})
