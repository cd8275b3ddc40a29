import { createTokenManager, TokenRequestError } from '@tokenward/core'
import { expect, test } from 'vitest'
import { CircuitBreaker } from '../src/internal/endpoint/circuit-breaker'
import { definition, ScriptedEndpoint, scripted, TestClock } from './support'

const networkError = () => Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNREFUSED' } })
const failure = (details: Partial<TokenRequestError> = {}) =>
  new TokenRequestError({ client: 'c', error: 'server_error', status: 503, retryable: true, ...details })

/** A manager of `count` clients of one endpoint, each with a fetch of its own if `fetch` makes one. */
function tenants(count: number, fetchOf: (index: number) => typeof fetch | undefined = () => undefined) {
  const clock = new TestClock()
  const endpoint = new ScriptedEndpoint(clock)
  const names = Array.from({ length: count }, (_, index) => `tenant-${index}`)
  const clients = names.map((name, index) => [name, { ...definition, clientId: name, fetch: fetchOf(index) }] as const)
  const tokens = createTokenManager({
    clients: Object.fromEntries(clients),
    requester: endpoint,
    clock,
    random: () => 0.5,
  })
  return { clock, endpoint, tokens, names }
}

test('200 clients of one failing endpoint: its circuit opens once, and one of them probes it', async () => {
  const { clock, endpoint, tokens, names } = tenants(200)
  endpoint.respondAlways(networkError())
  const calls: Promise<unknown>[] = []
  for (let ms = 0; ms < 4_000; ms += 50) {
    for (const name of names) calls.push(tokens.getAccessToken(name).catch((error) => error.code))
    await clock.advance(50)
  }
  await clock.advance(2_000)
  expect(new Set(await Promise.all(calls))).toEqual(new Set(['token_request_failed']))
  // The first request of each, because nothing was known yet; then two a second.
  expect(endpoint.requests.length).toBeLessThanOrEqual(200 + 12)
  endpoint.respondAlways(undefined)
  await clock.advance(1_000)
  const all = Promise.all(names.map((name) => tokens.getAccessToken(name).catch(() => undefined)))
  await clock.advance(1_000)
  await all
  await expect(Promise.all(names.map((name) => tokens.getAccessToken(name)))).resolves.toHaveLength(200)
})

test('one after another: the second client of a failing endpoint sends nothing, and its error names it', async () => {
  const { clock, endpoint, tokens } = tenants(2)
  endpoint.respondAlways(networkError())
  const first = expect(tokens.getAccessToken('tenant-0')).rejects.toThrow()
  await clock.advance(1_000)
  await first
  expect(endpoint.requests).toHaveLength(3)
  await expect(tokens.getAccessToken('tenant-1')).rejects.toMatchObject({
    client: 'tenant-1',
    error: 'network_error',
    retryAfterMs: 500,
    message: expect.stringContaining("client 'tenant-1'"),
  })
  expect(endpoint.requests).toHaveLength(3)
})

test('two transports to one endpoint fail independently; clients that share one share its circuit', async () => {
  const proxy: typeof fetch = async () => new Response()
  const { clock, endpoint, tokens } = tenants(3, (index) => (index === 0 ? undefined : proxy))
  endpoint.respondNext(networkError(), networkError(), networkError())
  const first = expect(tokens.getAccessToken('tenant-0')).rejects.toThrow()
  await clock.advance(1_000)
  await first
  expect((await tokens.getAccessToken('tenant-1')).value).toBe('token-4')
  endpoint.respondNext(networkError(), networkError(), networkError())
  const second = expect(tokens.getAccessToken('tenant-1', { forceRenewal: true })).rejects.toThrow()
  await clock.advance(1_000)
  await second
  await expect(tokens.getAccessToken('tenant-2')).rejects.toMatchObject({ error: 'network_error' })
})

test.each<[string, TokenRequestError]>([
  ['a refused client', failure({ error: 'invalid_client', status: 401, retryable: false })],
  ['a refused scope', failure({ error: 'invalid_scope', status: 400, retryable: false })],
  ['a supplier that failed', failure({ error: 'credential_unavailable', retryable: true })],
])('%s opens the circuit for nobody else', async (_what, error) => {
  const { endpoint, tokens } = tenants(2)
  for (let call = 0; call < 5; call++) {
    endpoint.respondAlways(error)
    await expect(tokens.getAccessToken('tenant-0')).rejects.toMatchObject({ error: error.error })
  }
  endpoint.respondAlways(undefined)
  expect((await tokens.getAccessToken('tenant-1')).type).toBe('Bearer')
})

test('a retry that finds the circuit open waits for the probe, and no caller sees the failure', async () => {
  const { clock, endpoint, tokens, names } = tenants(50)
  endpoint.latencyMs = 10
  endpoint.respondNext(...names.map(() => networkError()))
  const all = Promise.all(names.map((name) => tokens.getAccessToken(name)))
  await clock.advance(2_000)
  expect(await all).toHaveLength(50)
  expect(endpoint.requests).toHaveLength(100)
})

test('when nobody has wanted a token for long, callers wait for the first request instead of an old error', async () => {
  const { clock, endpoint, tokens } = tenants(2)
  endpoint.respondAlways(networkError())
  const first = expect(tokens.getAccessToken('tenant-0')).rejects.toThrow()
  await clock.advance(2_000)
  await first
  endpoint.respondAlways(undefined)
  endpoint.latencyMs = 100
  await clock.advance(60_000)
  const all = Promise.all(['tenant-0', 'tenant-1', 'tenant-0'].map((name) => tokens.getAccessToken(name)))
  await clock.advance(3_000)
  await expect(all).resolves.toHaveLength(3)
})

test('closed, open, halfOpen: three failures in a row open it, a probe closes it', async () => {
  const clock = new TestClock()
  const breaker = new CircuitBreaker(clock)
  const fail = () => breaker.fail('request', failure(), { startedAt: 0, attempts: 1, gaveUp: false })
  fail()
  fail()
  expect(breaker.state).toBe('closed')
  breaker.succeed()
  fail()
  fail()
  expect(breaker.state).toBe('closed')
  fail()
  expect([breaker.state, breaker.tryAcquire(), breaker.waitMs]).toEqual(['open', undefined, 500])
  await clock.advance(500)
  expect([breaker.tryAcquire(), breaker.state, breaker.tryAcquire()]).toEqual(['probe', 'halfOpen', undefined])
  expect(breaker.errorFor('other')).toMatchObject({ client: 'other', status: 503, retryAfterMs: 500 })
  breaker.abandon('probe')
  expect([breaker.tryAcquire(), breaker.state]).toEqual(['probe', 'halfOpen'])
  breaker.succeed()
  expect([breaker.state, breaker.errorFor('c')]).toEqual(['closed', undefined])
})

const repeating: [string, Partial<TokenRequestError>, whose: string][] = [
  ['invalid_client', { error: 'invalid_client', status: 401 }, 'client'],
  ['unauthorized_client', { error: 'unauthorized_client', status: 400 }, 'client'],
  ['an issuer that is wrong', { error: 'invalid_response', status: 404, step: 'discovery' }, 'client'],
  ['invalid_scope', { error: 'invalid_scope', status: 400 }, 'token'],
  ['invalid_grant', { error: 'invalid_grant', status: 400 }, 'token'],
  ['404', { error: 'invalid_response', status: 404 }, 'token'],
]

test.each(repeating)(
  '%s: a cooldown from 0.5 to 30 s, in which the endpoint gets no request',
  async (_what, details) => {
    const { tokens, endpoint, clock } = scripted()
    endpoint.respondAlways(failure({ retryable: false, ...details }))
    const sentAt: number[] = []
    for (let ms = 0; ms < 200_000; ms += 100) {
      const before = endpoint.requests.length
      const { retryAfterMs, error } = await tokens.getAccessToken('catalog.client').catch((thrown) => thrown)
      expect(error).toBe(details.error)
      if (endpoint.requests.length > before) sentAt.push(ms)
      else expect(retryAfterMs).toBeGreaterThan(0)
      await clock.advance(100)
    }
    const pauses = sentAt.slice(1).map((at, index) => at - (sentAt[index] ?? 0))
    expect(pauses.slice(0, 8)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000])
    endpoint.respondAlways(undefined)
    await clock.advance(30_000)
    expect((await tokens.getAccessToken('catalog.client')).type).toBe('Bearer')
    // A success resets it.
    endpoint.respondAlways(failure({ retryable: false, ...details }))
    await expect(tokens.getAccessToken('catalog.client', { forceRenewal: true })).rejects.toThrow()
    await expect(tokens.getAccessToken('catalog.client', { forceRenewal: true })).rejects.toMatchObject({
      retryAfterMs: 500,
    })
  },
)

test.each(repeating)('%s concerns other tokens of the client, or not', async (_what, details, whose) => {
  const { tokens, endpoint } = scripted()
  endpoint.respondNext(failure({ retryable: false, ...details }))
  await expect(tokens.getAccessToken('catalog.client')).rejects.toThrow()
  const other = tokens.getAccessToken('catalog.client', { scope: 'other' })
  if (whose === 'client') await expect(other).rejects.toMatchObject({ error: details.error })
  else expect((await other).type).toBe('Bearer')
  expect((await tokens.getAccessToken('invoice.client')).type).toBe('Bearer')
})

test('after a cooldown of the client, one caller tries and the others get the remembered error', async () => {
  const { tokens, endpoint, clock } = scripted()
  endpoint.respondNext(failure({ error: 'invalid_client', retryable: false }))
  await expect(tokens.getAccessToken('catalog.client')).rejects.toThrow()
  await clock.advance(500)
  endpoint.latencyMs = 100
  const first = tokens.getAccessToken('catalog.client')
  await clock.advance(50)
  await expect(tokens.getAccessToken('catalog.client', { scope: 'x' })).rejects.toMatchObject({
    error: 'invalid_client',
  })
  await clock.advance(50)
  expect((await first).value).toBe('token-2')
  endpoint.latencyMs = 0
  expect((await tokens.getAccessToken('catalog.client', { scope: 'x' })).value).toBe('token-3')
})

test('a bad assertion of one call is no cooldown for the others', async () => {
  const { tokens, endpoint } = scripted()
  endpoint.respondNext(failure({ error: 'invalid_client', retryable: false }))
  await expect(tokens.getAccessToken('catalog.client', { clientAssertion: 'bad', scope: 'x' })).rejects.toThrow()
  expect((await tokens.getAccessToken('catalog.client')).type).toBe('Bearer')
})

test('expires_in 0: whoever waits gets the token, and a loop sends no more than the cooldowns permit', async () => {
  const { tokens, endpoint, clock } = scripted()
  endpoint.expiresIn = 0
  expect((await tokens.getAccessToken('catalog.client')).value).toBe('token-1')
  await expect(tokens.getAccessToken('catalog.client')).rejects.toMatchObject({
    error: 'invalid_response',
    errorDescription: expect.stringContaining('expires_in: 0'),
    retryAfterMs: 500,
  })
  for (let ms = 0; ms < 7_500; ms += 100) {
    await tokens.getAccessToken('catalog.client').catch(() => {})
    await clock.advance(100)
  }
  expect(endpoint.requests).toHaveLength(4)
})

test('a supplier that fails is not retried, is called again after 0.5 s, and keeps nobody else waiting', async () => {
  const clock = new TestClock()
  let asked = 0
  const sealed = new Error('vault sealed')
  const tokens = createTokenManager({
    clients: {
      c: {
        ...definition,
        async clientSecret() {
          asked++
          throw sealed
        },
      },
    },
    clock,
  })
  for (let ms = 0; ms < 5_000; ms += 100) {
    const error = await tokens.getAccessToken('c').catch((thrown) => thrown)
    expect(error).toMatchObject({ error: 'credential_unavailable', step: 'supplier', retryable: true })
    expect(error.cause).toBe(sealed)
    await clock.advance(100)
  }
  expect(asked).toBe(10)
})
