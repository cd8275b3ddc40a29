import { createRequestAuthorizer, TokenRequestError } from '@tokenward/core'
import { expect, test } from 'vitest'
import { scripted } from './support'

const down = () =>
  new TokenRequestError({ client: 'catalog.client', error: 'server_error', status: 500, retryable: true })
const api = { method: 'GET', url: 'https://api.example/items', headers: () => new Headers() }
const response = (status: number) => ({ status, headers: new Headers() })

test('with the token endpoint down, a token of one hour is used until it expires', async () => {
  const { tokens, endpoint, clock } = scripted()
  endpoint.expiresIn = 3_600
  await tokens.getAccessToken('catalog.client')
  endpoint.respondAlways(down())
  await clock.advance(3_539_000)
  for (let second = 3_539; second < 3_598; second++) {
    const call = tokens.getAccessToken('catalog.client')
    await clock.advance(1_000)
    expect((await call).value).toBe('token-1')
  }
  await clock.advance(3_000)
  const expired = expect(tokens.getAccessToken('catalog.client')).rejects.toMatchObject({ error: 'server_error' })
  await clock.advance(5_000)
  await expired
})

test('while the circuit is open, callers get the valid token at once', async () => {
  const { tokens, endpoint, clock } = scripted()
  await tokens.getAccessToken('catalog.client')
  endpoint.respondAlways(down())
  await clock.advance(91_000)
  const first = tokens.getAccessToken('catalog.client')
  await clock.advance(1_000)
  await first
  const before = endpoint.requests.length
  // The clock does not move here, so these calls cannot wait for a timer.
  for (let call = 0; call < 20; call++) {
    expect((await tokens.getAccessToken('catalog.client')).value).toBe('token-1')
  }
  expect(endpoint.requests.length).toBe(before)
})

test('a caller waits one second for a renewal that hangs, not for the whole timeoutMs', async () => {
  const { tokens, endpoint, clock } = scripted()
  await tokens.getAccessToken('catalog.client')
  endpoint.respondAlways(() => new Promise(() => {}))
  await clock.advance(91_000)
  let ended = false
  const call = tokens.getAccessToken('catalog.client').finally(() => {
    ended = true
  })
  await clock.advance(900)
  expect(ended).toBe(false)
  await clock.advance(200)
  expect((await call).value).toBe('token-1')
})

test('a call with a minValidityMs that the token does not reach gets the error', async () => {
  const { tokens, endpoint, clock } = scripted()
  await tokens.getAccessToken('catalog.client')
  endpoint.respondAlways(down())
  await clock.advance(85_000)
  const demanding = expect(tokens.getAccessToken('catalog.client', { minValidityMs: 60_000 })).rejects.toMatchObject({
    error: 'server_error',
  })
  const modest = tokens.getAccessToken('catalog.client', { minValidityMs: 5_000 })
  await clock.advance(5_000)
  await demanding
  expect((await modest).value).toBe('token-1')
})

test('after a 401 while the token endpoint is down, the caller gets the 401 and other calls still get the token', async () => {
  const { tokens, endpoint, clock } = scripted()
  const authorizer = createRequestAuthorizer(tokens, 'catalog.client', { baseURL: 'https://api.example' })
  const sent = await authorizer.authorize(api)
  endpoint.respondAlways(down())
  const next = sent.next(response(401), true)
  await clock.advance(2_000)
  expect(await next).toBeUndefined()
  expect((await tokens.getAccessToken('catalog.client')).value).toBe('token-1')

  endpoint.respondAlways(undefined)
  await clock.advance(5_000)
  const renewed = await tokens.getAccessToken('catalog.client')
  expect(renewed.value).not.toBe('token-1')
})

test('after a 401, the caller waits for the new token as long as its request takes, and others for one second', async () => {
  const { tokens, endpoint, clock } = scripted()
  const authorizer = createRequestAuthorizer(tokens, 'catalog.client', { baseURL: 'https://api.example' })
  const sent = await Promise.all(Array.from({ length: 20 }, () => authorizer.authorize(api)))
  endpoint.latencyMs = 3_000
  const retries = sent.map((authorization) => authorization.next(response(401), true))
  await clock.advance(0)
  const other = tokens.getAccessToken('catalog.client')
  await clock.advance(1_500)
  expect((await other).value).toBe('token-1')
  // The other call's API rejects the same token while its replacement is under way.
  const late = (await authorizer.authorize(api)).next(response(401), true)
  await clock.advance(2_000)
  for (const again of await Promise.all([...retries, late])) {
    expect(again?.headers.authorization).toBe('Bearer token-2')
  }
  expect(endpoint.requests).toHaveLength(2)
})

test('a 401 goes to the caller when the token endpoint does not respond in time', async () => {
  const { tokens, endpoint, clock } = scripted()
  const authorizer = createRequestAuthorizer(tokens, 'catalog.client', { baseURL: 'https://api.example' })
  const sent = await authorizer.authorize(api)
  endpoint.respondAlways(() => new Promise(() => {}))
  const next = sent.next(response(401), true)
  await clock.advance(40_000)
  expect(await next).toBeUndefined()
  const other = tokens.getAccessToken('catalog.client')
  await clock.advance(1_000)
  expect((await other).value).toBe('token-1')
})

test('insteadOf must be a token', async () => {
  const { tokens } = scripted()
  for (const insteadOf of ['token-1', {}, null, 1]) {
    const call = tokens.getAccessToken('catalog.client', { insteadOf: insteadOf as never })
    await expect(call).rejects.toThrow('insteadOf')
  }
})

test('a token that the API had accepted is replaced at each revocation, without a cooldown', async () => {
  const { tokens, endpoint } = scripted()
  const authorizer = createRequestAuthorizer(tokens, 'catalog.client', { baseURL: 'https://api.example' })
  for (let revocation = 1; revocation <= 5; revocation++) {
    const accepted = await authorizer.authorize(api)
    await accepted.next(response(200), true)
    const rejected = await authorizer.authorize(api)
    const again = await rejected.next(response(401), true)
    expect(again?.headers.authorization).toBe(`Bearer token-${revocation + 1}`)
  }
  expect(endpoint.requests).toHaveLength(6)
})

test('an API that accepts every token does not end the cooldown of an API that rejects them all', async () => {
  const { tokens, endpoint } = scripted()
  const allowedOrigins = ['https://api.example', 'https://broken.example']
  const authorizer = createRequestAuthorizer(tokens, 'catalog.client', { allowedOrigins })
  for (let round = 0; round < 20; round++) {
    await (await authorizer.authorize(api)).next(response(200), true)
    await (await authorizer.authorize({ ...api, url: 'https://broken.example/' })).next(response(401), true)
  }
  expect(endpoint.requests).toHaveLength(2)
})

test('a token request ends two seconds after its last caller has aborted', async () => {
  const { tokens, endpoint, clock } = scripted()
  endpoint.respondAlways(() => new Promise(() => {}))
  const controller = new AbortController()
  const call = tokens.getAccessToken('catalog.client', { signal: controller.signal })
  await clock.advance(100)
  controller.abort(new Error('enough'))
  await expect(call).rejects.toThrow('enough')
  await clock.advance(1_900)
  expect(endpoint.requests[0]?.signal.aborted).toBe(false)
  await clock.advance(200)
  expect(endpoint.requests[0]?.signal.aborted).toBe(true)
  expect(clock.pendingTimers).toBe(0)
})

test('a caller that joins within these two seconds gets the token of that request', async () => {
  const { tokens, endpoint, clock } = scripted()
  endpoint.latencyMs = 3_000
  const controller = new AbortController()
  const call = tokens.getAccessToken('catalog.client', { signal: controller.signal })
  await clock.advance(100)
  controller.abort()
  await expect(call).rejects.toThrow()
  await clock.advance(1_000)
  const joined = tokens.getAccessToken('catalog.client')
  await clock.advance(3_000)
  expect((await joined).value).toBe('token-1')
  expect(endpoint.requests).toHaveLength(1)
})
