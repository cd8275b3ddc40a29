import { setTimeout as sleep } from 'node:timers/promises'
import { Load, type Outcome } from './scenario'

const FOREVER = Number.POSITIVE_INFINITY

/** Tokens live 2 s, the endpoint takes 300 ms, and there are 200 calls a second. No call waits for a renewal. */
export async function shortLifetimes(): Promise<Outcome> {
  const load = await Load.start(2)
  load.provider.tokenEndpointFaults.delayMs = 300
  await load.call()
  load.slowestMs = 0
  await load.atRate(200, 10_000)
  const rejected = load.provider.catalog.requests.filter(({ status }) => status === 401).length
  // A token is renewed after 75 to 85 % of its lifetime, so it is used for 1.5 s or longer here.
  const mostTokens = Math.ceil(10_000 / 1_500)
  const outcome = load.outcome('tokens live 2 s, endpoint takes 300 ms, 200 calls/s for 10 s', {
    'no call waits for the endpoint': load.slowestMs < 150,
    'no call fails': load.failures.length === 0 && load.badStatuses === 0,
    'no expired token reaches the API': rejected === 0,
    'one token request per lifetime': load.provider.tokenRequests.length <= mostTokens + 1,
  })
  await load.close()
  return outcome
}

/** The endpoint is down for 3 s while the token is valid. */
export async function endpointDownWithToken(): Promise<Outcome> {
  const load = await Load.start(5)
  await load.call()
  await sleep(500)
  load.provider.tokenEndpointFaults.fail(FOREVER, 'reset')
  await load.byCallers(50, 3_000)
  load.provider.tokenEndpointFaults.clear()
  const outcome = load.outcome('endpoint down for 3 s, token valid, 50 callers', {
    'no call fails': load.failures.length === 0 && load.badStatuses === 0,
  })
  await load.close()
  return outcome
}

/** The endpoint is down for 3 s and there is no token. */
export async function endpointDownWithoutToken(): Promise<Outcome> {
  const load = await Load.start(60)
  load.provider.tokenEndpointFaults.fail(FOREVER, 'reset')
  let backAt = 0
  const back = sleep(3_000).then(() => {
    backAt = performance.now()
    load.provider.tokenEndpointFaults.clear()
  })
  await Promise.all([load.byCallers(50, 4_500), back])
  const requestsWhileDown = load.provider.tokenRequests.filter(({ at }) => at < backAt).length
  const lateFailures = load.failures.filter(({ at }) => at > backAt + 500).length
  const slowest = Math.max(...load.failures.map(({ tookMs }) => tookMs))
  const outcome = load.outcome('endpoint down for 3 s, no token, 50 callers', {
    'every failure is a TokenRequestError': load.unexpectedFailures === 0,
    'calls fail fast': slowest < 1_500,
    'at most 2 token requests a second': requestsWhileDown <= 6,
    'recovered within 500 ms': lateFailures === 0 && load.statuses.length > 0,
  })
  await load.close()
  return outcome
}

/** Transient faults of the token endpoint, one after another. No caller notices them. */
export async function transientFaults(): Promise<Outcome> {
  const load = await Load.start(60)
  const { tokenEndpointFaults: faults } = load.provider
  const faultSteps: (() => void)[] = [
    () => faults.fail(2, { status: 500 }),
    () => faults.fail(1, { status: 429, headers: { 'retry-after': '1' } }),
    () => faults.fail(1, { status: 503, headers: { 'retry-after': new Date(Date.now() + 1_000).toUTCString() } }),
    () => faults.fail(1, 'reset'),
    () => faults.fail(1, { status: 200, headers: { 'content-type': 'application/json' }, body: '{"access_token":' }),
    () => faults.fail(1, { status: 200, headers: { 'content-type': 'text/html' }, body: '<h1>Welcome</h1>' }),
  ]
  for (const fail of faultSteps) {
    await load.tokens.clear()
    fail()
    await Promise.all(Array.from({ length: 20 }, () => load.call()))
  }
  const outcome = load.outcome('500 twice, 429, 503, reset, broken JSON, HTML: one after another', {
    'no call fails': load.failures.length === 0 && load.badStatuses === 0,
  })
  await load.close()
  return outcome
}

/** The token is revoked, and 100 calls follow: at once, or spread over `spreadMs` milliseconds. */
export async function revocation(spreadMs: number): Promise<Outcome> {
  const load = await Load.start(60)
  await load.call()
  load.reset()
  load.provider.revokeIssued()
  await Promise.all(
    Array.from({ length: 100 }, async (_, number) => {
      await sleep((spreadMs * number) / 100)
      await load.call()
    }),
  )
  const how = spreadMs === 0 ? '100 concurrent calls' : `100 calls spread over ${spreadMs} ms`
  const outcome = load.outcome(`the token is revoked before ${how}`, {
    'no call fails': load.failures.length === 0 && load.badStatuses === 0,
    'one token request': load.provider.tokenRequests.length === 1,
  })
  await load.close()
  return outcome
}

/** An API responds 401 to every token. */
export async function rejectingApi(): Promise<Outcome> {
  const load = await Load.start(60)
  load.provider.catalog.faults.fail(FOREVER, { status: 401 })
  for (let number = 0; number < 100; number++) await load.call()
  const outcome = load.outcome('an API that always responds 401, 100 calls in a row', {
    'each caller gets the 401': load.statuses.length === 100 && load.statuses.every((status) => status === 401),
    'at most 3 token requests': load.provider.tokenRequests.length <= 3,
  })
  await load.close()
  return outcome
}
