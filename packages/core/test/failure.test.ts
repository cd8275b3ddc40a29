import { TokenRequestError } from '@tokenward/core'
import { expect, test } from 'vitest'
import { scripted, settle } from './support'

const networkError = () => Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNREFUSED' } })
const transient = (retryAfterMs?: number) =>
  new TokenRequestError({ client: 'catalog.client', error: 'server_error', status: 503, retryable: true, retryAfterMs })
const permanent = (error = 'invalid_scope') =>
  new TokenRequestError({ client: 'catalog.client', error, retryable: false })

test('a transient failure is retried twice, and no caller notices it', async () => {
  const { tokens, endpoint, clock } = scripted()
  endpoint.respondNext(networkError(), transient())
  const token = tokens.getAccessToken('catalog.client')
  await clock.advance(1_000)
  expect((await token).value).toBe('token-3')
})

test('the backoff before a retry is random: up to 300 ms, then up to 600 ms', async () => {
  const { tokens, endpoint, clock } = scripted({ random: () => 1 })
  endpoint.respondAlways(networkError())
  tokens.getAccessToken('catalog.client').catch(() => {})
  await clock.advance(299)
  expect(endpoint.requests).toHaveLength(1)
  await clock.advance(1)
  expect(endpoint.requests).toHaveLength(2)
  await clock.advance(599)
  expect(endpoint.requests).toHaveLength(2)
  await clock.advance(1)
  expect(endpoint.requests).toHaveLength(3)
})

test('Retry-After delays the retry', async () => {
  const { tokens, endpoint, clock } = scripted()
  endpoint.respondNext(transient(1_000))
  const token = tokens.getAccessToken('catalog.client')
  await clock.advance(999)
  expect(endpoint.requests).toHaveLength(1)
  await clock.advance(400)
  expect((await token).value).toBe('token-2')
})

test('a Retry-After beyond timeoutMs fails the call at once with retryAfterMs', async () => {
  const { tokens, endpoint, clock } = scripted()
  endpoint.respondAlways(transient(120_000))
  await expect(tokens.getAccessToken('catalog.client')).rejects.toMatchObject({ retryAfterMs: 120_000 })
  endpoint.respondAlways(undefined)
  await clock.advance(60_000)
  await expect(tokens.getAccessToken('catalog.client')).rejects.toMatchObject({ retryAfterMs: 60_000, status: 503 })
  expect(endpoint.requests).toHaveLength(1)
  await clock.advance(60_000)
  expect((await tokens.getAccessToken('catalog.client')).value).toBe('token-2')
})

test('a failure that would repeat is not retried, and a call after its cooldown sends a new request', async () => {
  const { tokens, endpoint, clock } = scripted()
  endpoint.respondNext(permanent())
  await expect(tokens.getAccessToken('catalog.client')).rejects.toMatchObject({ error: 'invalid_scope' })
  expect(endpoint.requests).toHaveLength(1)
  await clock.advance(500)
  expect((await tokens.getAccessToken('catalog.client')).value).toBe('token-2')
})

test('a client that keeps getting invalid_client does not send a request for every call', async () => {
  const { tokens, endpoint, clock } = scripted()
  endpoint.respondAlways(permanent('invalid_client'))
  for (let call = 0; call < 100; call++) {
    await expect(tokens.getAccessToken('catalog.client')).rejects.toMatchObject({
      error: 'invalid_client',
      retryable: false,
    })
  }
  expect(endpoint.requests).toHaveLength(1)
  endpoint.respondAlways(undefined)
  await clock.advance(500)
  expect((await tokens.getAccessToken('catalog.client')).value).toBe('token-2')
})

test('while the endpoint fails, one caller probes it and the rest fail at once with retryAfterMs', async () => {
  const { tokens, endpoint, clock } = scripted()
  endpoint.respondAlways(networkError())
  const first = expect(tokens.getAccessToken('catalog.client')).rejects.toMatchObject({ error: 'network_error' })
  await clock.advance(1_000)
  await first
  expect(endpoint.requests).toHaveLength(3)
  await expect(tokens.getAccessToken('catalog.client')).rejects.toMatchObject({
    error: 'network_error',
    errorDescription: 'ECONNREFUSED',
    retryable: true,
    retryAfterMs: 500,
  })
  expect(endpoint.requests).toHaveLength(3)

  await clock.advance(500)
  endpoint.latencyMs = 5_000
  const probe = tokens.getAccessToken('catalog.client')
  await settle()
  for (let call = 0; call < 10; call++) {
    await expect(tokens.getAccessToken('catalog.client')).rejects.toMatchObject({ error: 'network_error' })
    await expect(tokens.getAccessToken('catalog.client', { scope: 'x' })).rejects.toMatchObject({
      code: 'token_request_failed',
    })
  }
  expect(endpoint.requests).toHaveLength(4)
  endpoint.respondAlways(undefined)
  await clock.advance(5_000)
  expect((await probe).value).toBe('token-4')
  endpoint.latencyMs = 0
  expect((await tokens.getAccessToken('catalog.client', { scope: 'x' })).value).toBe('token-5')
})

test('while it fails, the endpoint gets at most 2 requests a second, and calls succeed within 500 ms after it', async () => {
  const { tokens, endpoint, clock } = scripted({ random: () => 0 })
  endpoint.respondAlways(networkError())
  const outcomes: string[] = []
  const call = () =>
    tokens.getAccessToken('catalog.client').then(
      ({ value }) => outcomes.push(value),
      (e) => outcomes.push(e.code),
    )
  for (let ms = 0; ms < 3_000; ms += 50) {
    for (let caller = 0; caller < 20; caller++) call()
    await clock.advance(50)
  }
  expect(endpoint.requests.length).toBeLessThanOrEqual(6)
  expect(outcomes).toHaveLength(60 * 20)
  expect(new Set(outcomes)).toEqual(new Set(['token_request_failed']))
  endpoint.respondAlways(undefined)
  await clock.advance(500)
  await expect(tokens.getAccessToken('catalog.client')).resolves.toMatchObject({ type: 'Bearer' })
})

test('an endpoint that fails for long gets a request less and less often, at last once in 5 s', async () => {
  const { tokens, endpoint, clock } = scripted()
  endpoint.respondAlways(networkError())
  const loop = async (ms: number) => {
    const before = endpoint.requests.length
    for (let passed = 0; passed < ms; passed += 100) {
      tokens.getAccessToken('catalog.client').catch(() => {})
      await clock.advance(100)
    }
    return endpoint.requests.length - before
  }
  await loop(120_000)
  expect(await loop(30_000)).toBe(6)
})

test('a request without a response ends after timeoutMs and is retried; its signal aborts', async () => {
  const { tokens, endpoint, clock } = scripted({ timeoutMs: 2_000 })
  endpoint.respondNext(() => new Promise(() => {}))
  const token = tokens.getAccessToken('catalog.client')
  await clock.advance(1_999)
  expect(endpoint.requests[0]?.signal.aborted).toBe(false)
  await clock.advance(500)
  expect(endpoint.requests[0]?.signal.aborted).toBe(true)
  expect((await token).value).toBe('token-2')
})

test('an endpoint that never responds fails the call with timeout after three attempts', async () => {
  const { tokens, endpoint, clock } = scripted({ client: { timeoutMs: 1_000 } })
  endpoint.respondAlways(() => new Promise(() => {}))
  const failed = expect(tokens.getAccessToken('catalog.client')).rejects.toMatchObject({
    error: 'timeout',
    errorDescription: 'no response within 1000 ms',
    retryable: true,
  })
  await clock.advance(4_000)
  await failed
  expect(endpoint.requests).toHaveLength(3)
})

test('a failed renewal ahead of expiry is not retried at once', async () => {
  const { tokens, endpoint, clock } = scripted()
  await tokens.getAccessToken('catalog.client')
  endpoint.respondAlways(networkError())
  await clock.advance(81_000)
  for (let ms = 0; ms < 4_000; ms += 100) {
    await tokens.getAccessToken('catalog.client')
    await clock.advance(100)
  }
  // 19 s are left. The wait is a tenth of that, give or take a quarter.
  expect(endpoint.requests.length).toBeLessThanOrEqual(1 + 3)
  expect(endpoint.requests.length).toBeGreaterThan(1)
})

test('a caller whose token expires while a renewal ahead runs gets the retries of that renewal', async () => {
  const { tokens, endpoint, clock } = scripted({ client: { timeoutMs: 30_000 } })
  await tokens.getAccessToken('catalog.client')
  await clock.advance(85_000)
  endpoint.latencyMs = 20_000 - 1
  endpoint.respondNext(networkError())
  await tokens.getAccessToken('catalog.client')
  await clock.advance(16_000)
  const waiting = tokens.getAccessToken('catalog.client')
  await clock.advance(30_000)
  expect((await waiting).value).toBe('token-3')
})
