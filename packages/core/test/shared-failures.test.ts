import { createTokenManager, TokenRequestError } from '@tokenward/core'
import { LeasingStore } from '@tokenward/test-support'
import { expect, test } from 'vitest'
import { definition, ScriptedEndpoint, settle, TestClock } from './support'

function fleet() {
  const clock = new TestClock()
  const store = new LeasingStore(clock.monotonic)
  const endpoint = new ScriptedEndpoint(clock)
  const start = () =>
    createTokenManager({ clients: { c: definition }, requester: endpoint, clock, random: () => 0.5, store })
  return { clock, store, endpoint, start }
}

const down = new TokenRequestError({ client: 'c', error: 'server_error', status: 503, retryable: true })

async function errorOf(call: Promise<unknown>, clock: TestClock, ms = 2_000): Promise<unknown> {
  const outcome = call.then(
    () => undefined,
    (error: unknown) => error,
  )
  await clock.advance(ms)
  return outcome
}

test('after the endpoint has failed for one process, the others fail at once until retryAfterMs has passed', async () => {
  const { clock, endpoint, start } = fleet()
  endpoint.respondAlways(down)
  const error = await errorOf(start().getAccessToken('c'), clock, 700)
  expect(error).toMatchObject({ error: 'server_error', status: 503 })
  expect(endpoint.requests).toHaveLength(3)
  const others = Array.from({ length: 8 }, () => start())
  for (const other of others) {
    const failed = await errorOf(other.getAccessToken('c'), clock, 1)
    expect(failed).toMatchObject({ error: 'server_error', status: 503, retryable: true })
    expect((failed as TokenRequestError).retryAfterMs).toBeGreaterThan(0)
  }
  expect(endpoint.requests).toHaveLength(3)

  endpoint.respondAlways(undefined)
  await clock.advance(1_500)
  const tokens = Promise.all(others.map((other) => other.getAccessToken('c')))
  await clock.advance(500)
  expect(new Set((await tokens).map(({ value }) => value)).size).toBe(1)
  expect(endpoint.requests).toHaveLength(4)
})

test('while the endpoint keeps failing, one process at a time probes it for the whole fleet', async () => {
  const { clock, endpoint, start } = fleet()
  endpoint.respondAlways(down)
  const processes = Array.from({ length: 16 }, () => start())
  const calls: Promise<unknown>[] = []
  for (let ms = 0; ms < 10_000; ms += 100) {
    for (const each of processes) calls.push(each.getAccessToken('c').catch(() => {}))
    await clock.advance(100)
  }
  // At most one request every half second, whatever the size of the fleet.
  expect(endpoint.requests.length).toBeLessThanOrEqual(22)
  endpoint.respondAlways(undefined)
  await clock.advance(1_500)
  const tokens = Promise.all(processes.map((each) => each.getAccessToken('c')))
  await clock.advance(500)
  expect(new Set((await tokens).map(({ value }) => value)).size).toBe(1)
  await Promise.all(calls)
})

test('after one process failed to renew ahead, the others do not try; a call that needs a new token still gets one', async () => {
  const { clock, endpoint, start } = fleet()
  const processes = Array.from({ length: 8 }, () => start())
  await Promise.all(processes.map((each) => each.getAccessToken('c')))
  endpoint.respondAlways(down)
  await clock.advance(81_000)
  for (const each of processes) {
    expect((await each.getAccessToken('c')).value).toBe('token-1')
    await settle()
  }
  expect(endpoint.requests).toHaveLength(2)
  endpoint.respondAlways(undefined)
  expect((await start().getAccessToken('c', { minValidityMs: 50_000 })).value).toBe('token-3')
})

test.each<[string, Partial<TokenRequestError>]>([
  ['that would repeat', { error: 'invalid_scope', retryable: false }],
  ['of a credential supplier, which may work elsewhere,', { error: 'credential_unavailable', retryable: true }],
])('a failure %s does not stop the other processes', async (_what, failure) => {
  const { clock, endpoint, start } = fleet()
  endpoint.respondAlways(new TokenRequestError({ client: 'c', error: '', retryable: false, ...failure }))
  await errorOf(start().getAccessToken('c'), clock)
  endpoint.respondAlways(undefined)
  expect((await start().getAccessToken('c')).type).toBe('Bearer')
})

test('a wall clock that is behind does not make a shared failure last longer, and an unreadable entry is ignored', async () => {
  const { clock, store, endpoint, start } = fleet()
  endpoint.respondAlways(down)
  await errorOf(start().getAccessToken('c'), clock, 700)
  endpoint.respondAlways(undefined)
  clock.jumpWallClock(-3_600_000)
  const error = await errorOf(start().getAccessToken('c'), clock, 1)
  expect((error as TokenRequestError).retryAfterMs).toBeLessThan(2_000)

  for (const entry of store.values.values()) entry.value = '{"v":1,"pause":'
  expect((await start().getAccessToken('c')).type).toBe('Bearer')
})
