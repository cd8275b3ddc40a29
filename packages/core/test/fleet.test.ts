import { createTokenManager, type TokenResponse, type TokenStore } from '@tokenward/core'
import { LeasingStore } from '@tokenward/test-support'
import { expect, test } from 'vitest'
import { definition, ScriptedEndpoint, settle, TestClock } from './support'

/** Processes of a fleet as far as they can be told by one: managers that share a store, and a test's clock. */
function fleet() {
  const clock = new TestClock()
  const store = new LeasingStore(clock.monotonic)
  const endpoint = new ScriptedEndpoint(clock)
  const start = (requester = endpoint) =>
    createTokenManager({
      clients: { c: { ...definition, timeoutMs: 5_000 } },
      requester,
      clock,
      random: () => 0.5,
      store,
    })
  return { clock, store, endpoint, start }
}

test('32 processes that start cold at once make one token request', async () => {
  const { clock, endpoint, start } = fleet()
  endpoint.latencyMs = 100
  const all = Promise.all(Array.from({ length: 32 }, () => start().getAccessToken('c')))
  await clock.advance(400)
  expect(new Set((await all).map(({ value }) => value))).toEqual(new Set(['token-1']))
  expect(endpoint.requests).toHaveLength(1)
})

test('a renewal ahead is done by one process; the others take its token', async () => {
  const { clock, endpoint, start } = fleet()
  const processes = Array.from({ length: 8 }, () => start())
  await Promise.all(processes.map((each) => each.getAccessToken('c')))
  await clock.advance(85_000)
  endpoint.latencyMs = 100
  await Promise.all(processes.map((each) => each.getAccessToken('c')))
  await clock.advance(400)
  const values = await Promise.all(processes.map(async (each) => (await each.getAccessToken('c')).value))
  expect(new Set(values)).toEqual(new Set(['token-2']))
  expect(endpoint.requests).toHaveLength(2)
})

test('a rejected token is replaced once for all', async () => {
  const { clock, endpoint, start } = fleet()
  const processes = Array.from({ length: 8 }, () => start())
  const tokens = await Promise.all(processes.map((each) => each.getAccessToken('c')))
  endpoint.latencyMs = 100
  const replaced = Promise.all(
    processes.map(async (each, index) => {
      const token = tokens[index]
      if (token) await each.rejectAccessToken('c', token)
      return (await each.getAccessToken('c')).value
    }),
  )
  await clock.advance(400)
  expect(new Set(await replaced)).toEqual(new Set(['token-2']))
  expect(endpoint.requests).toHaveLength(2)
})

test('a lease-holder that dies is replaced by one of all who wait, after the lease', async () => {
  const { clock, store, endpoint, start } = fleet()
  endpoint.latencyMs = 500
  // What a killed process leaves behind is its lease.
  store.lease(await keyOfC(), 6_000)
  let had = 0
  const waiting = Promise.all(
    Array.from({ length: 32 }, async () => {
      const { value } = await start().getAccessToken('c')
      had++
      return value
    }),
  )
  await clock.advance(5_900)
  expect(had).toBe(0)
  await clock.advance(900)
  expect(new Set(await waiting)).toEqual(new Set(['token-1']))
  expect(endpoint.requests).toHaveLength(1)
})

test('when one after the other dies, nobody waits for ever', async () => {
  const { clock, store, start } = fleet()
  const key = await keyOfC()
  store.lease = () => undefined
  const token = start().getAccessToken('c')
  await clock.advance(13_000)
  expect((await token).value).toBe('token-1')
  expect(store.values.has(key)).toBe(false)
})

test('one that comes late does not overwrite a newer token', async () => {
  const { clock, store, start } = fleet()
  const slow = new ScriptedEndpoint(clock)
  let arrive: (response: TokenResponse) => void = () => {}
  slow.answerNext(
    () =>
      new Promise((resolve) => {
        arrive = resolve
      }),
  )
  const late = start(slow).getAccessToken('c')
  await settle()
  // Deleting takes the lease away, as its end would; the next one renews meanwhile.
  store.delete(await keyOfC())
  expect((await start().getAccessToken('c')).value).toBe('token-1')
  await settle()
  arrive({ access_token: 'late', token_type: 'Bearer', expires_in: 100 })
  expect((await late).value).toBe('late')
  await settle()
  expect([...store.values.values()].map(({ value }) => value).join()).toContain('token-1')
})

test('a lease that comes after the store limit is given back, so that nobody waits for its end', async () => {
  const { clock, store, endpoint, start } = fleet()
  const held: (() => void)[] = []
  const real = store.lease.bind(store)
  store.lease = (...args) => {
    // As from a Redis that stood still: done, but late.
    store.lease = real
    return new Promise((resolve) => held.push(() => resolve(real(...args) as never))) as never
  }
  const first = start().getAccessToken('c')
  await clock.advance(250)
  expect((await first).value).toBe('token-1')
  for (const late of held) late()
  await settle()
  expect(store.calls).toContain('release')
  expect(store.leaseCount).toBe(0)
  const second = start().getAccessToken('c')
  await clock.advance(100)
  expect((await second).value).toBe('token-2')
  expect(endpoint.requests).toHaveLength(2)
})

test('a slow store costs no more than its limit, however often it has to be asked', async () => {
  const { clock, store, start } = fleet()
  const one = start()
  const old = await one.getAccessToken('c')
  await settle()
  await one.rejectAccessToken('c', old)
  const real = store.lease.bind(store)
  store.lease = (async (...args: Parameters<typeof real>) => {
    await new Promise<void>((resolve) => clock.setTimeout(resolve, 200))
    return real(...args)
  }) as never
  let value = ''
  void one.getAccessToken('c').then((token) => {
    value = token.value
  })
  await clock.advance(250)
  expect(value).toBe('token-2')
})

test('close gives back the lease of what it ends', async () => {
  const { store, endpoint, start } = fleet()
  endpoint.latencyMs = 1_000
  const closing = start()
  const ended = closing.getAccessToken('c').catch((error: unknown) => error)
  await settle()
  expect(store.leaseCount).toBe(1)
  await closing.close()
  expect(store.leaseCount).toBe(0)
  expect(await ended).toMatchObject({ error: 'closed' })
})

test('those who force a renewal at the same time share one, and everybody else gets its token', async () => {
  const { clock, endpoint, start } = fleet()
  const processes = Array.from({ length: 8 }, () => start())
  await Promise.all(processes.map((each) => each.getAccessToken('c')))
  endpoint.latencyMs = 100
  const forced = Promise.all(processes.map((each) => each.getAccessToken('c', { forceRenewal: true })))
  await clock.advance(400)
  expect(new Set((await forced).map(({ value }) => value))).toEqual(new Set(['token-2']))
  const another = start().getAccessToken('c')
  expect((await another).value).toBe('token-2')
  const again = start().getAccessToken('c', { forceRenewal: true })
  await clock.advance(400)
  expect((await again).value).toBe('token-3')
  expect(endpoint.requests).toHaveLength(3)
})

test('a forced renewal in a fleet that has no token yet is the renewal that others are at', async () => {
  const { clock, endpoint, start } = fleet()
  endpoint.latencyMs = 100
  const first = start().getAccessToken('c')
  await settle()
  const forced = start().getAccessToken('c', { forceRenewal: true })
  await clock.advance(400)
  expect((await first).value).toBe('token-1')
  expect((await forced).value).toBe('token-1')
  expect(endpoint.requests).toHaveLength(1)
})

test('clear reaches tokens that only other processes have used', async () => {
  const { endpoint, start } = fleet()
  const one = start()
  await one.getAccessToken('c', { parameters: { tenant: 'a' } })
  await one.getAccessToken('c', { scope: 'other' })
  await settle()
  await start().clear('c')
  const other = start()
  expect((await other.getAccessToken('c', { parameters: { tenant: 'a' } })).value).toBe('token-3')
  expect((await other.getAccessToken('c', { scope: 'other' })).value).toBe('token-4')
  await settle()
  await start().clear()
  expect((await start().getAccessToken('c', { scope: 'other' })).value).toBe('token-5')
  expect(endpoint.requests).toHaveLength(5)
})

test.each<[string, () => unknown]>([
  ['throws', () => Promise.reject(new Error('down'))],
  ['hangs', () => new Promise(() => {})],
])('a lease that %s costs the store limit, once, and no call', async (_what, lease) => {
  const { clock, endpoint } = fleet()
  const store = { get: () => undefined, set() {}, delete() {}, lease: lease as NonNullable<TokenStore['lease']> }
  const tokens = createTokenManager({ clients: { c: definition }, requester: endpoint, clock, store })
  const token = tokens.getAccessToken('c')
  await clock.advance(250)
  expect((await token).value).toBe('token-1')
})

/** The key of the token, as a store is asked for it. */
async function keyOfC(): Promise<string> {
  let key = ''
  const get = (asked: string) => {
    key = asked
    return undefined
  }
  const tokens = createTokenManager({
    clients: { c: definition },
    requester: new ScriptedEndpoint(new TestClock()),
    store: { get, set() {}, delete() {} },
  })
  await tokens.getAccessToken('c')
  return key
}
