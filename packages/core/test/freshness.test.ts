import { createTokenManager, type TokenRequester } from '@tokenward/core'
import { expect, test } from 'vitest'
import { definition, scripted, settle, TestClock } from './support'

test('a second call gets the cached token without a request', async () => {
  const { tokens, endpoint, clock } = scripted()
  const first = await tokens.getAccessToken('catalog.client')
  await clock.advance(50_000)
  expect((await tokens.getAccessToken('catalog.client')).value).toBe(first.value)
  expect(endpoint.requests).toHaveLength(1)
})

test('from 80 % of the lifetime on, the next call renews in the background and no caller waits', async () => {
  const { tokens, endpoint, clock } = scripted()
  await tokens.getAccessToken('catalog.client')
  endpoint.latencyMs = 5_000
  await clock.advance(79_000)
  expect((await tokens.getAccessToken('catalog.client')).value).toBe('token-1')
  await settle()
  expect(endpoint.requests).toHaveLength(1)
  await clock.advance(2_000)
  expect((await tokens.getAccessToken('catalog.client')).value).toBe('token-1')
  await settle()
  expect(endpoint.requests).toHaveLength(2)
  expect((await tokens.getAccessToken('catalog.client')).value).toBe('token-1')
  await clock.advance(5_000)
  expect((await tokens.getAccessToken('catalog.client')).value).toBe('token-2')
  expect(endpoint.requests).toHaveLength(2)
})

test.each([
  [0, 75_000],
  [1, 85_000],
])('the time of renewal is random, drawn once per token (draw %d: at %d ms)', async (draw, renewAt) => {
  const { tokens, endpoint, clock } = scripted({ random: () => draw })
  await tokens.getAccessToken('catalog.client')
  await clock.advance(renewAt - 1_000)
  await tokens.getAccessToken('catalog.client')
  await settle()
  expect(endpoint.requests).toHaveLength(1)
  await clock.advance(1_001)
  await tokens.getAccessToken('catalog.client')
  await settle()
  expect(endpoint.requests).toHaveLength(2)
})

test('with a slow endpoint, renewal starts early enough that no caller waits', async () => {
  const { tokens, endpoint, clock } = scripted({ random: () => 1, client: { timeoutMs: 20_000 } })
  endpoint.latencyMs = 12_000
  const first = tokens.getAccessToken('catalog.client')
  await clock.advance(12_000)
  await first
  for (let second = 0; second < 300; second++) {
    let received = false
    void tokens.getAccessToken('catalog.client').then(() => {
      received = true
    })
    await settle()
    expect(received).toBe(true)
    await clock.advance(1_000)
  }
  expect(endpoint.requests).toHaveLength(4)
})

test('no caller notices a failed renewal while the token is valid, also shortly before it expires', async () => {
  const { tokens, endpoint, clock } = scripted()
  await tokens.getAccessToken('catalog.client')
  endpoint.respondAlways(new TypeError('fetch failed'))
  for (let second = 0; second < 89; second++) {
    await clock.advance(1_000)
    expect((await tokens.getAccessToken('catalog.client')).value).toBe('token-1')
  }
  // In the last tenth of the 100 s callers wait for the renewal, each for one second at most.
  for (let second = 0; second < 4; second++) {
    const waiting = tokens.getAccessToken('catalog.client')
    await clock.advance(1_000)
    expect((await waiting).value).toBe('token-1')
  }
  await clock.advance(10_000)
  const expired = expect(tokens.getAccessToken('catalog.client')).rejects.toMatchObject({ error: 'network_error' })
  await clock.advance(5_000)
  await expired
})

test('callers share one request when the token has expired while nobody used it', async () => {
  const { tokens, endpoint, clock } = scripted()
  await tokens.getAccessToken('catalog.client')
  await clock.advance(3_600_000)
  const [a, b] = await Promise.all([tokens.getAccessToken('catalog.client'), tokens.getAccessToken('catalog.client')])
  expect([a.value, b.value]).toEqual(['token-2', 'token-2'])
  expect(endpoint.requests).toHaveLength(2)
})

test.each([
  [3_600, 3_540_000],
  [100, 90_000],
  [5, 4_500],
])(
  'a token of %d s is returned at once until %d ms: the buffer is 60 s, but at most a tenth of the lifetime',
  async (s, lastMs) => {
    const { tokens, endpoint, clock } = scripted()
    endpoint.expiresIn = s
    await tokens.getAccessToken('catalog.client')
    endpoint.respondAlways(() => new Promise(() => {}))
    await clock.advance(lastMs - 1)
    expect((await tokens.getAccessToken('catalog.client')).value).toBe('token-1')
    endpoint.respondAlways(undefined)
    await clock.advance(20_000)
  },
)

test('expirationBufferMs can be set on the manager and on the definition, which wins', async () => {
  for (const options of [
    { expirationBufferMs: 1_000 },
    { expirationBufferMs: 50_000, client: { expirationBufferMs: 1_000 } },
  ]) {
    const { tokens, endpoint, clock } = scripted(options)
    endpoint.latencyMs = 0
    await tokens.getAccessToken('catalog.client')
    endpoint.respondAlways(new TypeError('fetch failed'))
    await clock.advance(98_000)
    expect((await tokens.getAccessToken('catalog.client')).value).toBe('token-1')
  }
})

test('the lifetime of a token counts from when its request was sent, however long the response took', async () => {
  const { tokens, endpoint, clock } = scripted()
  endpoint.latencyMs = 8_000
  const first = tokens.getAccessToken('catalog.client')
  await clock.advance(8_000)
  await first
  await clock.advance(81_000)
  const before = endpoint.requests.length
  expect((await tokens.getAccessToken('catalog.client')).value).toBe('token-1')
  await clock.advance(2_000)
  // Callers wait for this renewal for one second at most, and that second is over.
  expect((await tokens.getAccessToken('catalog.client')).value).toBe('token-1')
  await clock.advance(6_000)
  expect((await tokens.getAccessToken('catalog.client')).value).toBe('token-2')
  expect(endpoint.requests.length).toBe(before + 1)
})

test('what comes before the token request, such as discovery or a refused secret, does not shorten the lifetime', async () => {
  const clock = new TestClock()
  let requests = 0
  const requester: TokenRequester = {
    async request(_client, { sending }) {
      await new Promise<void>((resolve) => clock.setTimeout(resolve, 8_000))
      sending?.()
      return { access_token: `token-${++requests}`, token_type: 'Bearer', expires_in: 20 }
    },
  }
  const tokens = createTokenManager({ clients: { c: definition }, requester, clock, random: () => 0.5 })
  const first = tokens.getAccessToken('c')
  await clock.advance(8_000)
  await first
  // The token is in its first 80 %: no renewal is due.
  await clock.advance(15_500)
  expect((await tokens.getAccessToken('c')).value).toBe('token-1')
  await clock.advance(10_000)
  expect(requests).toBe(1)
})

test('a token without expires_in is used for defaultLifetimeMs, 5 minutes, and has no expiresAt', async () => {
  const { tokens, endpoint, clock } = scripted()
  endpoint.expiresIn = undefined
  expect((await tokens.getAccessToken('catalog.client')).expiresAt).toBeUndefined()
  await clock.advance(239_000)
  await tokens.getAccessToken('catalog.client')
  expect(endpoint.requests).toHaveLength(1)
  await clock.advance(60_000)
  expect((await tokens.getAccessToken('catalog.client')).value).toBe('token-2')
})

test('a call with minValidityMs renews a token that is valid for less, and later calls get the new one', async () => {
  const { tokens, endpoint, clock } = scripted()
  await tokens.getAccessToken('catalog.client')
  await clock.advance(50_000)
  expect((await tokens.getAccessToken('catalog.client', { minValidityMs: 40_000 })).value).toBe('token-1')
  expect((await tokens.getAccessToken('catalog.client', { minValidityMs: 60_000 })).value).toBe('token-2')
  expect((await tokens.getAccessToken('catalog.client')).value).toBe('token-2')
  expect(endpoint.requests).toHaveLength(2)
})

test('a minValidityMs that no token reaches does not cause a request per call', async () => {
  const { tokens, endpoint, clock } = scripted()
  for (let call = 0; call < 10; call++) {
    await tokens.getAccessToken('catalog.client', { minValidityMs: 3_600_000 })
    await clock.advance(1_000)
  }
  expect(endpoint.requests).toHaveLength(1)
})

test('forceRenewal requests a new token, and concurrent calls with it share the request', async () => {
  const { tokens, endpoint } = scripted()
  await tokens.getAccessToken('catalog.client')
  const forced = await Promise.all(
    Array.from({ length: 20 }, () => tokens.getAccessToken('catalog.client', { forceRenewal: true })),
  )
  expect(new Set(forced.map(({ value }) => value))).toEqual(new Set(['token-2']))
  expect((await tokens.getAccessToken('catalog.client')).value).toBe('token-2')
  expect(endpoint.requests).toHaveLength(2)
})

test('setting the wall clock back does not make a token live longer or shorter', async () => {
  const { tokens, endpoint, clock } = scripted()
  await tokens.getAccessToken('catalog.client')
  clock.jumpWallClock(-3_600_000)
  for (let call = 0; call < 10; call++) await tokens.getAccessToken('catalog.client')
  expect(endpoint.requests).toHaveLength(1)
  await clock.advance(101_000)
  expect((await tokens.getAccessToken('catalog.client')).value).toBe('token-2')
})

test('a token that expired while the machine was suspended, with its monotonic clock, is not used', async () => {
  const { tokens, endpoint, clock } = scripted()
  await tokens.getAccessToken('catalog.client')
  clock.jumpWallClock(3_600_000)
  expect((await tokens.getAccessToken('catalog.client')).value).toBe('token-2')
  for (let call = 0; call < 10; call++) await tokens.getAccessToken('catalog.client')
  expect(endpoint.requests).toHaveLength(2)
})

test('a token that expired on its way, because the machine was suspended, is not used', async () => {
  const { tokens, endpoint, clock } = scripted()
  endpoint.latencyMs = 1_000
  const waiting = tokens.getAccessToken('catalog.client')
  await settle()
  clock.jumpWallClock(3_600_000)
  await clock.advance(1_000)
  expect(endpoint.requests).toHaveLength(2)
  await clock.advance(1_000)
  expect((await waiting).value).toBe('token-2')
  expect((await tokens.getAccessToken('catalog.client')).value).toBe('token-2')
})

test('an endpoint that takes longer than its tokens live is asked three times, and its token goes to the caller', async () => {
  const { tokens, endpoint, clock } = scripted()
  endpoint.latencyMs = 2_000
  endpoint.expiresIn = 1
  const waiting = tokens.getAccessToken('catalog.client')
  for (let request = 0; request < 3; request++) await clock.advance(2_000)
  expect((await waiting).value).toBe('token-3')
  expect(endpoint.requests).toHaveLength(3)
})

test('a token with expires_in 0 goes to the callers that wait for it, and is not cached', async () => {
  const { tokens, endpoint, clock } = scripted()
  endpoint.expiresIn = 0
  const all = await Promise.all(Array.from({ length: 10 }, () => tokens.getAccessToken('catalog.client')))
  expect(new Set(all.map(({ value }) => value)).size).toBe(1)
  await clock.advance(500)
  expect((await tokens.getAccessToken('catalog.client')).value).toBe('token-2')
})
