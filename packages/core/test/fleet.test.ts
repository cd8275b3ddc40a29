import { createTokenManager, type TokenRequest, type TokenResponse, type TokenStore } from '@tokenward/core'
import { LeasingStore } from '@tokenward/test-support'
import { expect, test } from 'vitest'
import { definition, ScriptedEndpoint, settle, TestClock } from './support'

/** A fleet inside one process: each `start()` creates a manager. All share a store, an endpoint and a test clock. */
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

test('32 processes that start without a token at the same time make one token request', async () => {
  const { clock, endpoint, start } = fleet()
  endpoint.latencyMs = 100
  const all = Promise.all(Array.from({ length: 32 }, () => start().getAccessToken('c')))
  await clock.advance(400)
  expect(new Set((await all).map(({ value }) => value))).toEqual(new Set(['token-1']))
  expect(endpoint.requests).toHaveLength(1)
})

test('processes that wait for a slow token request of another one ask the store less and less often', async () => {
  const { clock, store, endpoint, start } = fleet()
  endpoint.latencyMs = 4_000
  const all = Promise.all(Array.from({ length: 10 }, () => start().getAccessToken('c')))
  await clock.advance(5_000)
  await all
  expect(endpoint.requests).toHaveLength(1)
  // Every 50 ms, it would be over 700 times.
  expect(store.calls.filter((call) => call === 'lease').length).toBeLessThan(150)
})

test('one process renews ahead of expiry, and the others use its token', async () => {
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

test('eight processes whose shared token was rejected make one token request', async () => {
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

test('when the lease holder dies, one waiting process renews after the lease has ended', async () => {
  const { clock, store, endpoint, start } = fleet()
  endpoint.latencyMs = 500
  // A killed process leaves its lease behind.
  store.lease(await keyOfC(), 6_000)
  let served = 0
  const waiting = Promise.all(
    Array.from({ length: 32 }, async () => {
      const { value } = await start().getAccessToken('c')
      served++
      return value
    }),
  )
  await clock.advance(5_900)
  expect(served).toBe(0)
  await clock.advance(900)
  expect(new Set(await waiting)).toEqual(new Set(['token-1']))
  expect(endpoint.requests).toHaveLength(1)
})

test('a retry after a time-out waits for its turn: never do two processes renew at the same time', async () => {
  const { clock, start } = fleet()
  let inFlight = 0
  let mostInFlight = 0
  let requests = 0
  const hangingTwice = {
    request: async (_client: unknown, { signal }: TokenRequest): Promise<TokenResponse> => {
      requests++
      mostInFlight = Math.max(mostInFlight, ++inFlight)
      try {
        if (requests <= 2)
          await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
        await new Promise<void>((resolve) => clock.setTimeout(resolve, 4_000))
        return { access_token: `token-${requests}`, token_type: 'Bearer', expires_in: 100 }
      } finally {
        inFlight--
      }
    },
  }
  const waiting = Promise.all(
    Array.from({ length: 2 }, () => start(hangingTwice as unknown as ScriptedEndpoint).getAccessToken('c')),
  )
  await clock.advance(20_000)
  expect(new Set((await waiting).map(({ value }) => value))).toEqual(new Set(['token-3']))
  expect(requests).toBe(3)
  expect(mostInFlight).toBe(1)
})

/** Forty processes that want a token each every half a second. Each has a scope of its own, or all have the same. */
function manyProcesses(scopeOf: (index: number) => string) {
  const { clock, endpoint, store, start } = fleet()
  const processes = Array.from({ length: 40 }, () => start())
  let failures = 0
  const run = async (seconds: number) => {
    failures = 0
    for (let step = 0; step < seconds * 2; step++) {
      processes.forEach((each, index) => {
        each.getAccessToken('c', { scope: scopeOf(index) }).catch(() => failures++)
      })
      await clock.advance(500)
    }
    return failures
  }
  return { endpoint, store, run }
}

test('forty processes send an endpoint that is down at most two requests a second, and all use it when it is back', async () => {
  const { endpoint, run } = manyProcesses((index) => `scope-${index}`)
  endpoint.respondAlways(new TypeError('fetch failed'))
  await run(15)
  const before = endpoint.requests.length
  await run(30)
  expect(endpoint.requests.length - before).toBeLessThanOrEqual(60)
  expect(endpoint.requests.length - before).toBeGreaterThan(10)
  endpoint.respondAlways(undefined)
  await run(15)
  expect(await run(1)).toBe(0)
})

/** An endpoint that has failed for 100 s, and processes that learned of it. Each wants a token of its own. */
async function longOutage(scopes: readonly string[]) {
  const clock = new TestClock()
  const store = new LeasingStore(clock.monotonic)
  const endpoint = new ScriptedEndpoint(clock)
  const processes = scopes.map((scope) =>
    createTokenManager({
      clients: { c: { ...definition, scope, timeoutMs: 1_000 } },
      requester: endpoint,
      clock,
      random: () => 0.5,
      store,
    }),
  )
  endpoint.respondAlways(new TypeError('fetch failed'))
  for (let second = 0; second < 100; second++) {
    for (const tokens of processes) void tokens.getAccessToken('c').catch(() => {})
    await clock.advance(1_000)
  }
  const callAll = () => Promise.allSettled(processes.map((tokens) => tokens.getAccessToken('c')))
  return { clock, endpoint, callAll }
}

test('long after an outage, two processes that want tokens at the same time both get one', async () => {
  const { clock, endpoint, callAll } = await longOutage(['a', 'b'])
  endpoint.respondAlways(undefined)
  endpoint.latencyMs = 600
  await clock.advance(60_000)
  // One of them has the turn to probe. The other one waits for what comes of it.
  const results = callAll()
  await clock.advance(10_000)
  expect((await results).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled'])
})

test('when the outage goes on for long, the first callers wait a few seconds, and the next ones not at all', async () => {
  const { clock, callAll } = await longOutage(['a', 'b', 'c'])
  await clock.advance(60_000)
  const first = callAll()
  await clock.advance(6_000)
  expect((await first).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
  const next = callAll()
  await clock.advance(0)
  expect((await next).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
})

test('a process gets a token although no lease ever becomes free', async () => {
  const { clock, store, start } = fleet()
  const key = await keyOfC()
  store.lease = () => undefined
  const token = start().getAccessToken('c')
  await clock.advance(25_000)
  expect((await token).value).toBe('token-1')
  expect(store.values.has(key)).toBe(false)
})

test('a process whose lease was taken away does not overwrite a newer token', async () => {
  const { clock, store, start } = fleet()
  const slow = new ScriptedEndpoint(clock)
  let respond: (response: TokenResponse) => void = () => {}
  slow.respondNext(
    () =>
      new Promise((resolve) => {
        respond = resolve
      }),
  )
  const superseded = start(slow).getAccessToken('c')
  await settle()
  // Deleting the key ends the lease, as its timeout would. Another process then renews.
  store.delete(await keyOfC())
  expect((await start().getAccessToken('c')).value).toBe('token-1')
  await settle()
  respond({ access_token: 'superseded', token_type: 'Bearer', expires_in: 100 })
  expect((await superseded).value).toBe('superseded')
  await settle()
  expect([...store.values.values()].map(({ value }) => value).join()).toContain('token-1')
})

test('a lease that the store grants after storeTimeoutMs is released, so that no process waits for its end', async () => {
  const { clock, store, endpoint, start } = fleet()
  const delayed: (() => void)[] = []
  const real = store.lease.bind(store)
  store.lease = (...args) => {
    // As when Redis was suspended: it runs the command, but late.
    store.lease = real
    return new Promise((resolve) => delayed.push(() => resolve(real(...args) as never))) as never
  }
  const first = start().getAccessToken('c')
  await clock.advance(250)
  expect((await first).value).toBe('token-1')
  for (const grant of delayed) grant()
  await settle()
  expect(store.calls).toContain('release')
  expect(store.leaseCount).toBe(0)
  const second = start().getAccessToken('c')
  await clock.advance(100)
  expect((await second).value).toBe('token-2')
  expect(endpoint.requests).toHaveLength(2)
})

test('a caller waits for a slow store at most storeTimeoutMs in total, however many store calls it needs', async () => {
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

test('close ends a renewal in flight and releases its lease', async () => {
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

test('processes that force a renewal at the same time share one request, and all others get its token', async () => {
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

test('a forced renewal joins the first token request of another process when the fleet has no token yet', async () => {
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

test('clear deletes tokens that only other processes have used', async () => {
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
])('when lease %s, the caller gets a token after storeTimeoutMs at most', async (_what, lease) => {
  const { clock, endpoint } = fleet()
  const store = { get: () => undefined, set() {}, delete() {}, lease: lease as NonNullable<TokenStore['lease']> }
  const tokens = createTokenManager({ clients: { c: definition }, requester: endpoint, clock, store })
  const token = tokens.getAccessToken('c')
  await clock.advance(250)
  expect((await token).value).toBe('token-1')
})

/** The key under which the store keeps the token of client `c`. */
async function keyOfC(): Promise<string> {
  let key = ''
  const get = (requested: string) => {
    key = requested
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
