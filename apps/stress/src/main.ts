import type { Outcome } from './scenario'
import {
  endpointDownWithoutToken,
  endpointDownWithToken,
  rejectingApi,
  revocation,
  shortLifetimes,
  transientFaults,
} from './scenarios'
import { manyTenants } from './tenants'

const scenarios: readonly (() => Promise<Outcome>)[] = [
  shortLifetimes,
  endpointDownWithToken,
  endpointDownWithoutToken,
  transientFaults,
  () => revocation(0),
  () => revocation(200),
  rejectingApi,
  manyTenants,
]

const outcomes: Outcome[] = []
for (const scenario of scenarios) {
  const outcome = await scenario()
  outcomes.push(outcome)
  console.log(`${outcome.unmet.length === 0 ? 'passed' : 'FAILED'}  ${outcome.scenario}`)
}

console.log()
console.table(
  outcomes.map(({ scenario, calls, failed, tokenRequests, slowestMs, unmet }) => ({
    scenario,
    calls,
    failed,
    'token requests': tokenRequests,
    'longest wait for a token (ms)': Math.round(slowestMs),
    result: unmet.length === 0 ? 'passed' : `FAILED: not true that ${unmet.join('; ')}`,
  })),
)
if (outcomes.some(({ unmet }) => unmet.length > 0)) process.exitCode = 1
