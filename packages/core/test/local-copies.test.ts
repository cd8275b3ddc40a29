import { createTokenManager, type TokenManagerOptions, type TokenStore } from '@tokenward/core'
import { memoryStore } from '@tokenward/store-memory'
import { LeasingStore } from '@tokenward/test-support'
import { describe, expect, test } from 'vitest'
import { definition, ScriptedEndpoint, settle, TestClock } from './support'

const HOUR = 3_600_000

describe.each<[string, (clock: TestClock) => TokenStore]>([
  ['that leases', (clock) => new LeasingStore(clock.monotonic)],
  ['of three methods', (clock) => memoryStore({ now: clock.monotonic })],
])('over a store %s', (_what, makeStore) => {
  function fleet() {
    const clock = new TestClock()
    const store = makeStore(clock)
    const endpoint = new ScriptedEndpoint(clock)
    endpoint.expiresIn = HOUR / 1_000
    const start = (options: Partial<TokenManagerOptions> = {}) =>
      createTokenManager({
        clients: { c: definition },
        requester: endpoint,
        clock,
        random: () => 0.5,
        store,
        ...options,
      })
    return { clock, endpoint, start }
  }

  test('a clear by another process is seen after localLifetimeMs, in the background', async () => {
    const { clock, endpoint, start } = fleet()
    const [one, two] = [start(), start()]
    await one.getAccessToken('c')
    await two.getAccessToken('c')
    await settle()
    await one.clear('c')
    await clock.advance(59_000)
    expect((await two.getAccessToken('c')).value).toBe('token-1')
    await settle()
    expect(endpoint.requests).toHaveLength(1)
    await clock.advance(1_000)
    endpoint.latencyMs = 100
    // Nobody waits: this use starts the look, and a later one has the new token.
    expect((await two.getAccessToken('c')).value).toBe('token-1')
    await clock.advance(100)
    expect((await two.getAccessToken('c')).value).toBe('token-2')
    expect((await one.getAccessToken('c')).value).toBe('token-2')
    expect(endpoint.requests).toHaveLength(2)
  })

  test('localLifetimeMs can be set', async () => {
    const { clock, start } = fleet()
    const [one, two] = [start(), start({ localLifetimeMs: 500 })]
    await one.getAccessToken('c')
    await two.getAccessToken('c')
    await one.clear('c')
    await clock.advance(500)
    await two.getAccessToken('c')
    await settle()
    expect((await two.getAccessToken('c')).value).toBe('token-2')
  })

  test('a newer token of another process takes the place of the copy', async () => {
    const { clock, endpoint, start } = fleet()
    const [one, two] = [start(), start()]
    await one.getAccessToken('c')
    await two.getAccessToken('c')
    await one.getAccessToken('c', { forceRenewal: true })
    await clock.advance(60_000)
    await two.getAccessToken('c')
    await settle()
    expect((await two.getAccessToken('c')).value).toBe('token-2')
    expect(endpoint.requests).toHaveLength(2)
  })

  test('a token that is still there goes on, and nobody hears of it', async () => {
    const { clock, endpoint, start } = fleet()
    const tokens = start()
    await tokens.getAccessToken('c')
    const heard: unknown[] = []
    tokens.on('tokenRetrieved', (event) => heard.push(event))
    for (let minute = 0; minute < 20; minute++) {
      await clock.advance(60_000)
      expect((await tokens.getAccessToken('c')).value).toBe('token-1')
      await settle()
    }
    expect(heard).toEqual([])
    expect(endpoint.requests).toHaveLength(1)
  })

  test('when the token is gone and the endpoint fails, the copy goes on, and is asked for rarely', async () => {
    const { clock, endpoint, start } = fleet()
    const [one, two] = [start(), start()]
    await one.getAccessToken('c')
    await two.getAccessToken('c')
    await one.clear('c')
    endpoint.answerAlways(new TypeError('fetch failed'))
    for (let second = 0; second < 120; second++) {
      await clock.advance(1_000)
      expect((await two.getAccessToken('c')).value).toBe('token-1')
    }
    expect(endpoint.requests.length).toBeGreaterThan(1)
    expect(endpoint.requests.length).toBeLessThanOrEqual(5)
  })
})

describe('a store that comes back', () => {
  function fleet() {
    const clock = new TestClock()
    const store = new LeasingStore(clock.monotonic)
    const endpoint = new ScriptedEndpoint(clock)
    endpoint.expiresIn = HOUR / 1_000
    const start = () =>
      createTokenManager({ clients: { c: definition }, requester: endpoint, clock, random: () => 0.5, store })
    return { clock, store, endpoint, start }
  }

  test('is given the token that it could not take, and the fleet shares again without a request', async () => {
    const { clock, store, endpoint, start } = fleet()
    store.broken = () => Promise.reject(new Error('down'))
    const [one, two] = [start(), start()]
    expect((await one.getAccessToken('c')).value).toBe('token-1')
    expect((await two.getAccessToken('c')).value).toBe('token-2')
    await clock.advance(2_000)
    for (const each of [one, two]) await each.getAccessToken('c')
    await settle()
    expect(store.values.size).toBe(0)

    store.broken = undefined
    await clock.advance(1_000)
    for (const each of [one, two]) {
      await each.getAccessToken('c')
      await settle()
    }
    expect(store.values.size).toBe(1)
    const [shared] = await Promise.all([start(), start()].map((each) => each.getAccessToken('c')))
    expect(['token-1', 'token-2']).toContain(shared?.value)
    expect(endpoint.requests).toHaveLength(2)
  })

  test('does not get an older token in the place of a newer one', async () => {
    const { clock, store, endpoint, start } = fleet()
    const [late, other] = [start(), start()]
    store.broken = () => Promise.reject(new Error('down'))
    await late.getAccessToken('c')
    await clock.advance(30_000)
    store.broken = undefined
    await other.getAccessToken('c')
    await settle()
    await late.getAccessToken('c')
    await settle()
    expect([...store.values.values()].map(({ value }) => value).join()).toContain('token-2')
    expect((await late.getAccessToken('c')).value).toBe('token-2')
    expect(endpoint.requests).toHaveLength(2)
  })

  test('does not bring an older token back to a process that has a newer one', async () => {
    const { clock, store, start } = fleet()
    const one = start()
    const old = await one.getAccessToken('c')
    await clock.advance(10_000)
    // Away, with what it holds, while an API rejects the token.
    store.broken = () => Promise.reject(new Error('down'))
    await one.rejectAccessToken('c', old)
    expect((await one.getAccessToken('c')).value).toBe('token-2')
    store.broken = undefined
    await clock.advance(1_000)
    await one.getAccessToken('c')
    await settle()
    expect((await one.getAccessToken('c')).value).toBe('token-2')
    expect((await start().getAccessToken('c')).value).toBe('token-2')
  })

  test('a token whose write failed is offered again', async () => {
    const { clock, store, start } = fleet()
    const one = start()
    const real = store.lease.bind(store)
    store.lease = ((...args: Parameters<typeof real>) => {
      const answer = real(...args) as { lease?: object }
      store.lease = real
      return answer.lease && { lease: { ...answer.lease, commit: () => Promise.reject(new Error('down')) } }
    }) as never
    await one.getAccessToken('c')
    await settle()
    expect(store.values.size).toBe(0)
    // Nobody has to wait for the end of its lease.
    expect(store.leaseCount).toBe(0)
    await clock.advance(1_000)
    await one.getAccessToken('c')
    await settle()
    expect(store.values.size).toBe(1)
  })

  test('a lease that could be neither used nor ended is ended when the store is back', async () => {
    const { clock, store, endpoint, start } = fleet()
    const one = start()
    endpoint.latencyMs = 100
    const first = one.getAccessToken('c')
    await settle()
    expect(store.leaseCount).toBe(1)
    store.broken = () => Promise.reject(new Error('down'))
    await clock.advance(100)
    await first
    await clock.advance(3_000)
    await one.getAccessToken('c')
    await settle()
    store.broken = undefined
    expect(store.leaseCount).toBe(1)
    await clock.advance(1_000)
    await one.getAccessToken('c')
    await clock.advance(100)
    expect(store.leaseCount).toBe(0)
    expect((await start().getAccessToken('c')).value).toBe('token-1')
    expect(endpoint.requests).toHaveLength(1)
  })

  test('who needs a token while a check is under way waits for the store once', async () => {
    const { clock, store, start } = fleet()
    const one = start()
    const old = await one.getAccessToken('c')
    await clock.advance(60_000)
    store.broken = () => new Promise(() => {})
    await one.getAccessToken('c')
    await clock.advance(200)
    await one.rejectAccessToken('c', old)
    let value = ''
    void one.getAccessToken('c').then((token) => {
      value = token.value
    })
    await clock.advance(50)
    expect(value).toBe('token-2')
  })

  test('a check costs no caller anything, however slow the store is', async () => {
    const { clock, store, endpoint, start } = fleet()
    const one = start()
    await one.getAccessToken('c')
    await clock.advance(60_000)
    store.broken = () => new Promise(() => {})
    for (let call = 0; call < 100; call++) expect((await one.getAccessToken('c')).value).toBe('token-1')
    await clock.advance(1_000)
    expect(store.calls.filter((operation) => operation === 'lease').length).toBeLessThanOrEqual(2)
    expect(endpoint.requests).toHaveLength(1)
  })
})

test('a token that was deleted while its check was under way is not kept', async () => {
  const clock = new TestClock()
  const store = new LeasingStore(clock.monotonic)
  const endpoint = new ScriptedEndpoint(clock)
  endpoint.expiresIn = HOUR / 1_000
  const tokens = createTokenManager({ clients: { c: definition }, requester: endpoint, clock, store })
  await tokens.getAccessToken('c')
  await clock.advance(60_000)
  await tokens.getAccessToken('c')
  await tokens.deleteAccessToken('c')
  expect((await tokens.getAccessToken('c')).value).toBe('token-2')
})
