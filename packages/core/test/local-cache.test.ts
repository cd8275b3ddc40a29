import { createTokenManager, type TokenManagerOptions, type TokenStore } from '@tokenward/core'
import { memoryStore } from '@tokenward/store-memory'
import { LeasingStore } from '@tokenward/test-support'
import { describe, expect, test } from 'vitest'
import { definition, ScriptedEndpoint, settle, TestClock } from './support'

const HOUR = 3_600_000

describe.each<[string, (clock: TestClock) => TokenStore]>([
  ['with leases', (clock) => new LeasingStore(clock.monotonic)],
  ['with three methods', (clock) => memoryStore({ now: clock.monotonic })],
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

  test('a process notices a clear by another process after localLifetimeMs, in the background', async () => {
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
    // No caller waits: this call starts the check of the store, and a later call gets the new token.
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

  test('a newer token of another process replaces the cached one', async () => {
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

  test('a token that is still in the store stays in use, and no event is emitted', async () => {
    const { clock, endpoint, start } = fleet()
    const tokens = start()
    await tokens.getAccessToken('c')
    const events: unknown[] = []
    tokens.on('tokenRetrieved', (event) => events.push(event))
    for (let minute = 0; minute < 20; minute++) {
      await clock.advance(60_000)
      expect((await tokens.getAccessToken('c')).value).toBe('token-1')
      await settle()
    }
    expect(events).toEqual([])
    expect(endpoint.requests).toHaveLength(1)
  })

  test('when the token is gone from the store and the endpoint fails, callers keep the cached token and requests are rare', async () => {
    const { clock, endpoint, start } = fleet()
    const [one, two] = [start(), start()]
    await one.getAccessToken('c')
    await two.getAccessToken('c')
    await one.clear('c')
    endpoint.respondAlways(new TypeError('fetch failed'))
    for (let second = 0; second < 120; second++) {
      await clock.advance(1_000)
      expect((await two.getAccessToken('c')).value).toBe('token-1')
    }
    expect(endpoint.requests.length).toBeGreaterThan(1)
    expect(endpoint.requests.length).toBeLessThanOrEqual(5)
  })
})

describe('when a store works again', () => {
  function fleet() {
    const clock = new TestClock()
    const store = new LeasingStore(clock.monotonic)
    const endpoint = new ScriptedEndpoint(clock)
    endpoint.expiresIn = HOUR / 1_000
    const start = () =>
      createTokenManager({ clients: { c: definition }, requester: endpoint, clock, random: () => 0.5, store })
    return { clock, store, endpoint, start }
  }

  test('tokens that could not be written are written, and the fleet shares one without a token request', async () => {
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

  test('an older token does not replace a newer one in the store', async () => {
    const { clock, store, endpoint, start } = fleet()
    const [older, newer] = [start(), start()]
    store.broken = () => Promise.reject(new Error('down'))
    await older.getAccessToken('c')
    await clock.advance(30_000)
    store.broken = undefined
    await newer.getAccessToken('c')
    await settle()
    await older.getAccessToken('c')
    await settle()
    expect([...store.values.values()].map(({ value }) => value).join()).toContain('token-2')
    expect((await older.getAccessToken('c')).value).toBe('token-2')
    expect(endpoint.requests).toHaveLength(2)
  })

  test('a process that has a newer token does not take an older one from the store', async () => {
    const { clock, store, start } = fleet()
    const one = start()
    const old = await one.getAccessToken('c')
    await clock.advance(10_000)
    // The store cannot be reached, and still holds the token that an API rejects now.
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

  test('a token whose write failed is written again', async () => {
    const { clock, store, start } = fleet()
    const one = start()
    const real = store.lease.bind(store)
    store.lease = ((...args: Parameters<typeof real>) => {
      const result = real(...args) as { lease?: object }
      store.lease = real
      return result.lease && { lease: { ...result.lease, commit: () => Promise.reject(new Error('down')) } }
    }) as never
    await one.getAccessToken('c')
    await settle()
    expect(store.values.size).toBe(0)
    // The lease was released, so that no process waits for its end.
    expect(store.leaseCount).toBe(0)
    await clock.advance(1_000)
    await one.getAccessToken('c')
    await settle()
    expect(store.values.size).toBe(1)
  })

  test('a token that could not be written does not come back after a deletion that an idle process missed', async () => {
    const { clock, store, start } = fleet()
    const [idle, other] = [start(), start()]
    store.broken = () => Promise.reject(new Error('down'))
    expect((await idle.getAccessToken('c')).value).toBe('token-1')
    await settle()
    store.broken = undefined
    await clock.advance(120_000)
    await other.clear('c')
    // Callers wait for no look at the store, so this one still gets the old token.
    await idle.getAccessToken('c')
    await settle()
    expect((await idle.getAccessToken('c')).value).toBe('token-2')
    expect((await other.getAccessToken('c')).value).toBe('token-2')
  })

  test('a lease that could be neither committed nor released is released', async () => {
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

  test('a caller that needs a new token while the store is being checked waits for one store timeout, not two', async () => {
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

  test('no caller waits while the store is being checked, however slow it is', async () => {
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

test('a token that is deleted while the store is being checked is not used again', async () => {
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
