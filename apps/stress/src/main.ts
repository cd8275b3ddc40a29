import type { Outcome } from './scenario'
import { hopelessApi, outageWithoutToken, outageWithToken, passingFaults, revocation, shortLives } from './scenarios'
import { manyTenants } from './tenants'

const scenarios: readonly (() => Promise<Outcome>)[] = [
  shortLives,
  outageWithToken,
  outageWithoutToken,
  passingFaults,
  () => revocation(0),
  () => revocation(200),
  hopelessApi,
  manyTenants,
]

const outcomes: Outcome[] = []
for (const scenario of scenarios) {
  const outcome = await scenario()
  outcomes.push(outcome)
  console.log(`${outcome.missed.length === 0 ? 'ok     ' : 'missed '} ${outcome.scenario}`)
}

console.log()
console.table(
  outcomes.map(({ scenario, calls, failed, tokenRequests, slowestMs, missed }) => ({
    scenario,
    calls,
    failed,
    'token requests': tokenRequests,
    'slowest token (ms)': Math.round(slowestMs),
    result: missed.length === 0 ? 'as it should be' : `missed: ${missed.join('; ')}`,
  })),
)
if (outcomes.some(({ missed }) => missed.length > 0)) process.exitCode = 1
