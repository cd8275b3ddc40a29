import { type Scenario, simulate } from '@tokenward/simulation'
import type { Fleet } from './formula'

/** A fleet in its daily life, when nothing fails. */
export interface SteadyFigures {
  readonly tokenRequestsPerSecond: number
  readonly commandsPerSecond: number
}

/** The seconds after all processes start at the same moment, and each of them calls for every token. */
export interface StartFigures {
  readonly tokenRequests: number
  /** Commands to the store in the worst second. */
  readonly worstSecond: number
}

const ENDPOINT_MS = 300
const SECOND_MS = 1_000

function scenario(fleet: Fleet, part: Pick<Scenario, 'durationMs' | 'traffic'>): Scenario {
  return {
    seed: 1,
    processes: fleet.processes,
    clients: [{ lifetimeMs: fleet.lifetimeSeconds * SECOND_MS, refreshShare: 0, tenants: fleet.keys - 1 }],
    quietMs: 0,
    options: {
      hasStore: true,
      timeoutMs: 10_000,
      storeTimeoutMs: 250,
      localLifetimeMs: fleet.localLifetimeSeconds * SECOND_MS,
      expirationBufferMs: 60_000,
    },
    network: { storeMs: 0.5, endpointMs: ENDPOINT_MS, apiMs: 20, replicationMs: 10 },
    faults: [],
    ...part,
  }
}

/** So long is counted, in lifetimes: in four of them, a token is renewed five times. */
const COUNTED_LIFETIMES = 4

/** Each process uses each token twice a minute. The first lifetime does not count. */
export async function simulateSteady(fleet: Fleet): Promise<SteadyFigures> {
  const lifetimeMs = fleet.lifetimeSeconds * SECOND_MS
  const traffic = { visitEveryMs: 30_000 / fleet.keys, callsPerVisit: 1, isDemanding: false }
  let commands = 0
  let tokenRequests = 0
  const count = (atMs: number) => (atMs >= lifetimeMs ? 1 : 0)
  await run(scenario(fleet, { durationMs: (1 + COUNTED_LIFETIMES) * lifetimeMs, traffic }), {
    command: (atMs) => {
      commands += count(atMs)
    },
    tokenRequest: (atMs) => {
      tokenRequests += count(atMs)
    },
  })
  const seconds = COUNTED_LIFETIMES * fleet.lifetimeSeconds
  return { tokenRequestsPerSecond: tokenRequests / seconds, commandsPerSecond: commands / seconds }
}

/** The store is empty, and all processes start within a tenth of a second. */
export async function simulateStart(fleet: Fleet): Promise<StartFigures> {
  const traffic = { visitEveryMs: 1e9, callsPerVisit: 1, isDemanding: false, callsAllAtStart: true }
  const seconds = new Map<number, number>()
  let tokenRequests = 0
  await run(scenario(fleet, { durationMs: 20_000, traffic }), {
    command(atMs) {
      const second = Math.floor(atMs / SECOND_MS)
      seconds.set(second, (seconds.get(second) ?? 0) + 1)
    },
    tokenRequest: () => {
      tokenRequests++
    },
  })
  return { tokenRequests, worstSecond: Math.max(...seconds.values()) }
}

async function run(plan: Scenario, observer: Parameters<typeof simulate>[2]): Promise<void> {
  const { violations } = await simulate(plan, undefined, observer)
  const [violation] = violations
  if (violation) throw new Error(`the simulation found a broken invariant: ${violation.text}`)
}
