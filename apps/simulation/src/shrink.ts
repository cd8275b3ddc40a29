import type { Invariant } from './invariants'
import { endOf, type Scenario } from './scenario'
import { simulate } from './simulation'

/** The invariant that a scenario breaks first, if it breaks one. */
export async function brokenBy(scenario: Scenario): Promise<Invariant | undefined> {
  const { violations } = await simulate(scenario)
  return violations[0]?.invariant
}

/** The smallest scenario that it can find that breaks the same invariant. It tries until `until` by the platform's clock. */
export async function shrink(scenario: Scenario, invariant: Invariant, until: number): Promise<Scenario> {
  let smallest = scenario
  for (let hasShrunk = true; hasShrunk; ) {
    hasShrunk = false
    for (const candidate of candidates(smallest)) {
      if (performance.now() > until) return smallest
      if ((await brokenBy(candidate)) !== invariant) continue
      smallest = candidate
      hasShrunk = true
      break
    }
  }
  return smallest
}

/** Scenarios with less in them, those with much less first. */
function* candidates(scenario: Scenario): Generator<Scenario> {
  const { faults, processes, clients, durationMs, quietMs, traffic, options } = scenario
  for (let length = Math.ceil(faults.length / 2); length >= 1; length = length === 1 ? 0 : Math.ceil(length / 2)) {
    for (let start = 0; start < faults.length; start += length) {
      yield { ...scenario, faults: [...faults.slice(0, start), ...faults.slice(start + length)] }
    }
  }
  const lastFault = Math.ceil(Math.max(0, ...faults.map(endOf)))
  if (lastFault < durationMs) yield { ...scenario, durationMs: lastFault }
  if (quietMs > 1_000) yield { ...scenario, quietMs: Math.ceil(quietMs / 2) }
  for (const fewer of [1, 2, Math.ceil(processes / 2), processes - 1]) {
    if (fewer > 0 && fewer < processes) {
      yield withProcesses(scenario, fewer, traffic.visitEveryMs)
      yield withProcesses(scenario, fewer, (traffic.visitEveryMs * fewer) / processes)
    }
  }
  if (clients.length > 1) yield { ...scenario, clients: clients.slice(0, -1) }
  if (clients.length > 1) yield { ...scenario, clients: clients.slice(1) }
  if (clients.some(({ tenants }) => tenants > 0)) {
    yield { ...scenario, clients: clients.map((client) => ({ ...client, tenants: 0 })) }
  }
  if (traffic.isDemanding) yield { ...scenario, traffic: { ...traffic, isDemanding: false } }
  if (traffic.callsPerVisit > 1) yield { ...scenario, traffic: { ...traffic, callsPerVisit: 1 } }
  if (options.hasStore) yield { ...scenario, options: { ...options, hasStore: false } }
  for (const [number, fault] of faults.entries()) {
    if (!('forMs' in fault) || fault.forMs < 20) continue
    const shorter = { ...fault, forMs: Math.floor(fault.forMs / 2) }
    yield { ...scenario, faults: faults.map((each, index) => (index === number ? shorter : each)) }
  }
}

function withProcesses(scenario: Scenario, processes: number, visitEveryMs: number): Scenario {
  return { ...scenario, processes, traffic: { ...scenario.traffic, visitEveryMs } }
}
