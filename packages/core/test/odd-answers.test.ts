import { createTokenManager } from '@tokenward/core'
import { managerFor, startProvider } from '@tokenward/test-support'
import { expect, test } from 'vitest'
import { definition, TestClock } from './support'

/** A manager whose endpoint gives these answers in turn, and good ones after them. Time is the test's. */
function answered(...answers: (() => Response)[]) {
  const clock = new TestClock()
  let requests = 0
  const transport: typeof fetch = async () => {
    const answer = answers[requests++]
    return answer
      ? answer()
      : Response.json({ access_token: `good-${requests}`, token_type: 'Bearer', expires_in: 100 })
  }
  const tokens = createTokenManager({ clients: { c: { ...definition, fetch: transport } }, clock, random: () => 0.5 })
  return {
    clock,
    tokens,
    requests: () => requests,
    /** The outcome of one call, however long its retries take by the test's clock. */
    async outcome(): Promise<unknown> {
      let outcome: unknown = 'nothing'
      const call = tokens.getAccessToken('c').then(
        (token) => {
          outcome = token.value
        },
        (error) => {
          outcome = error
        },
      )
      for (let step = 0; step < 100 && outcome === 'nothing'; step++) await clock.advance(1_000)
      await call
      return outcome
    },
  }
}

const json = (body: object, init?: ResponseInit) => () => Response.json(body, init)
const text =
  (body: string, type: string, status = 200) =>
  () =>
    new Response(body, { status, headers: { 'content-type': type } })

test.each([
  ['100', 100_000],
  ['100.5', 100_500],
  [100, 100_000],
])('expires_in %j is %d ms', async (expires_in, lifetimeMs) => {
  const { tokens, clock } = answered(json({ access_token: 'a', token_type: 'Bearer', expires_in }))
  const token = await tokens.getAccessToken('c')
  expect(Number(token.expiresAt) - clock.now()).toBe(lifetimeMs)
})

test('ten years are ten years; what no calendar holds is cut to a hundred', async () => {
  const years = 365 * 86_400
  const { tokens, clock } = answered(
    json({ access_token: 'a', token_type: 'Bearer', expires_in: 10 * years }),
    json({ access_token: 'b', token_type: 'Bearer', expires_in: 1e300 }),
  )
  const ten = await tokens.getAccessToken('c')
  const endless = await tokens.getAccessToken('c', { scope: 'x' })
  expect(Number(ten.expiresAt) - clock.now()).toBe(10 * years * 1_000)
  expect(Number(endless.expiresAt) - clock.now()).toBe(100 * years * 1_000)
  await clock.advance(86_400_000)
  expect((await tokens.getAccessToken('c')).value).toBe('a')
})

test.each(['bearer', 'BEARER', 'Bearer'])('token_type %s is Bearer', async (token_type) => {
  const { tokens } = answered(json({ access_token: 'a', token_type, expires_in: 100 }))
  expect((await tokens.getAccessToken('c')).type).toBe('Bearer')
})

test('a granted scope that differs from the one asked for is the one that the token shows; its key stays', async () => {
  const { tokens, requests } = answered(
    json({ access_token: 'a', token_type: 'Bearer', expires_in: 100, scope: 'less' }),
  )
  expect((await tokens.getAccessToken('c', { scope: 'less more' })).scope).toBe('less')
  expect((await tokens.getAccessToken('c', { scope: 'more less' })).value).toBe('a')
  expect(requests()).toBe(1)
})

test.each<[string, () => Response]>([
  ['a negative lifetime', json({ access_token: 'a', token_type: 'Bearer', expires_in: -1 })],
  ['a lifetime that is no number', json({ access_token: 'a', token_type: 'Bearer', expires_in: 'soon' })],
  ['no access_token', json({ token_type: 'Bearer' })],
  ['an empty access_token', json({ access_token: '', token_type: 'Bearer' })],
  ['a token that no header can hold', json({ access_token: 'a\nb', token_type: 'Bearer' })],
  ['a huge token', json({ access_token: 'a'.repeat(300_000), token_type: 'Bearer' })],
  ['no token_type', json({ access_token: 'a' })],
  ['broken JSON', text('{"access_token"', 'application/json')],
  ['an empty answer', text('', 'application/json')],
  ['a page', text('<h1>Welcome</h1>', 'text/html')],
  ['status 500', text('oops', 'text/plain', 500)],
  ['status 503 with an OAuth error', json({ error: 'temporarily_unavailable' }, { status: 503 })],
  ['status 429', text('slow down', 'text/plain', 429)],
])('%s is tried again, and the caller sees nothing of it', async (_what, answer) => {
  const { outcome, requests } = answered(answer, answer)
  expect(await outcome()).toBe('good-3')
  expect(requests()).toBe(3)
})

test.each<[string, () => Response, object]>([
  ['an unknown token type', json({ access_token: 'a', token_type: 'mac' }), { error: 'invalid_response' }],
  [
    'a DPoP token that nobody asked for',
    json({ access_token: 'a', token_type: 'DPoP' }),
    { error: 'invalid_response' },
  ],
  [
    'a redirect',
    () => new Response(null, { status: 302, headers: { location: 'https://elsewhere.example' } }),
    { error: 'invalid_response', status: 302 },
  ],
  ['status 404', text('not here', 'text/plain', 404), { error: 'invalid_response', status: 404 }],
  [
    'an OAuth error',
    json({ error: 'unauthorized_client', error_description: 'no' }, { status: 400 }),
    { error: 'unauthorized_client', errorDescription: 'no', status: 400 },
  ],
  ['a bare 401', text('', 'text/plain', 401), { error: 'invalid_client', status: 401 }],
  [
    'a 401 with a challenge and an OAuth error',
    json(
      { error: 'invalid_client', error_description: 'unknown' },
      { status: 401, headers: { 'www-authenticate': 'Basic' } },
    ),
    { error: 'invalid_client', errorDescription: 'unknown', status: 401 },
  ],
])('%s is final', async (_what, answer, expected) => {
  const { outcome, requests } = answered(answer)
  expect(await outcome()).toMatchObject({ code: 'token_request_failed', retryable: false, ...expected })
  expect(requests()).toBe(1)
})

test.each<[string, (clock: TestClock) => Record<string, string>]>([
  ['seconds', () => ({ 'retry-after': '7' })],
  [
    "a date, by the server's own clock",
    () => ({ 'retry-after': 'Wed, 01 Jan 2020 00:00:07 GMT', date: 'Wed, 01 Jan 2020 00:00:00 GMT' }),
  ],
])('Retry-After as %s is honoured', async (_form, headers) => {
  const holder: { clock?: TestClock } = {}
  const { tokens, clock, requests } = answered(
    () => new Response('', { status: 429, headers: headers(holder.clock ?? new TestClock()) }),
  )
  const token = tokens.getAccessToken('c')
  await clock.advance(6_900)
  expect(requests()).toBe(1)
  await clock.advance(400)
  expect((await token).value).toBe('good-2')
})

test('a Date of the server that is an hour off does not matter', async () => {
  const date = new Date(Date.now() - 3_600_000).toUTCString()
  const { tokens, clock, requests } = answered(
    json({ access_token: 'a', token_type: 'Bearer', expires_in: 100 }, { headers: { date } }),
  )
  const token = await tokens.getAccessToken('c')
  expect(Number(token.expiresAt) - clock.now()).toBe(100_000)
  await tokens.getAccessToken('c')
  expect(requests()).toBe(1)
})

test.each<[string, Parameters<import('@tokenward/identity-provider').Faults['fail']>[1]]>([
  ['a connection that is reset', 'reset'],
  ['status 502', { status: 502, body: 'bad gateway' }],
  [
    'a body that breaks off',
    { status: 200, headers: { 'content-type': 'application/json', 'content-length': '500' }, body: '{' },
  ],
])('the real server: %s is tried again', async (_what, fault) => {
  const provider = await startProvider()
  // A body that breaks off is noticed when its time is over.
  const tokens = managerFor(provider, { timeoutMs: 500 })
  provider.tokenEndpointFaults.fail(1, fault)
  expect((await tokens.getAccessToken('catalog.client')).type).toBe('Bearer')
  expect(provider.tokenRequests).toHaveLength(2)
})

test('the real server is gone: network_error, with what the system calls it', async () => {
  const provider = await startProvider()
  const tokens = managerFor(provider)
  await provider.close()
  await expect(tokens.getAccessToken('catalog.client')).rejects.toMatchObject({
    error: 'network_error',
    errorDescription: 'ECONNREFUSED',
    retryable: true,
  })
})

test('the real server never answers: timeout', async () => {
  const provider = await startProvider()
  const tokens = managerFor(provider, { timeoutMs: 100 })
  provider.tokenEndpointFaults.fail(Number.POSITIVE_INFINITY, 'hang')
  await expect(tokens.getAccessToken('catalog.client')).rejects.toMatchObject({ error: 'timeout', retryable: true })
})
