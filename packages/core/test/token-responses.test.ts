import { createTokenManager } from '@tokenward/core'
import { managerFor, startProvider } from '@tokenward/test-support'
import { expect, test } from 'vitest'
import { definition, TestClock } from './support'

/** A manager whose endpoint sends these responses in order, and good ones after them. It runs by a test clock. */
function respondingWith(...responses: (() => Response)[]) {
  const clock = new TestClock()
  let requests = 0
  const transport: typeof fetch = async () => {
    const respond = responses[requests++]
    return respond
      ? respond()
      : Response.json({ access_token: `good-${requests}`, token_type: 'Bearer', expires_in: 100 })
  }
  const tokens = createTokenManager({ clients: { c: { ...definition, fetch: transport } }, clock, random: () => 0.5 })
  return {
    clock,
    tokens,
    requests: () => requests,
    /** The token value or the error of one call. Moves the clock until the call has ended. */
    async outcome(): Promise<unknown> {
      let outcome: unknown = 'pending'
      const call = tokens.getAccessToken('c').then(
        (token) => {
          outcome = token.value
        },
        (error) => {
          outcome = error
        },
      )
      for (let step = 0; step < 100 && outcome === 'pending'; step++) await clock.advance(1_000)
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
])('expires_in %j means %d ms', async (expires_in, lifetimeMs) => {
  const { tokens, clock } = respondingWith(json({ access_token: 'a', token_type: 'Bearer', expires_in }))
  const token = await tokens.getAccessToken('c')
  expect(Number(token.expiresAt) - clock.now()).toBe(lifetimeMs)
})

test('a lifetime of ten years is kept, and one beyond a hundred years is cut to a hundred', async () => {
  const years = 365 * 86_400
  const { tokens, clock } = respondingWith(
    json({ access_token: 'a', token_type: 'Bearer', expires_in: 10 * years }),
    json({ access_token: 'b', token_type: 'Bearer', expires_in: 1e300 }),
  )
  const tenYears = await tokens.getAccessToken('c')
  const endless = await tokens.getAccessToken('c', { scope: 'x' })
  expect(Number(tenYears.expiresAt) - clock.now()).toBe(10 * years * 1_000)
  expect(Number(endless.expiresAt) - clock.now()).toBe(100 * years * 1_000)
  await clock.advance(86_400_000)
  expect((await tokens.getAccessToken('c')).value).toBe('a')
})

test.each(['bearer', 'BEARER', 'Bearer'])('token_type %s is Bearer', async (token_type) => {
  const { tokens } = respondingWith(json({ access_token: 'a', token_type, expires_in: 100 }))
  expect((await tokens.getAccessToken('c')).type).toBe('Bearer')
})

test('the token shows the granted scope when it differs from the requested one, and is cached for the requested one', async () => {
  const { tokens, requests } = respondingWith(
    json({ access_token: 'a', token_type: 'Bearer', expires_in: 100, scope: 'less' }),
  )
  expect((await tokens.getAccessToken('c', { scope: 'less more' })).scope).toBe('less')
  expect((await tokens.getAccessToken('c', { scope: 'more less' })).value).toBe('a')
  expect(requests()).toBe(1)
})

test.each<[string, () => Response]>([
  ['a negative lifetime', json({ access_token: 'a', token_type: 'Bearer', expires_in: -1 })],
  ['a lifetime that is not a number', json({ access_token: 'a', token_type: 'Bearer', expires_in: 'soon' })],
  ['no access_token', json({ token_type: 'Bearer' })],
  ['an empty access_token', json({ access_token: '', token_type: 'Bearer' })],
  ['a token that is not valid in a header', json({ access_token: 'a\nb', token_type: 'Bearer' })],
  ['a huge token', json({ access_token: 'a'.repeat(300_000), token_type: 'Bearer' })],
  ['no token_type', json({ access_token: 'a' })],
  ['broken JSON', text('{"access_token"', 'application/json')],
  ['an empty response', text('', 'application/json')],
  ['an HTML page', text('<h1>Welcome</h1>', 'text/html')],
  ['status 500', text('oops', 'text/plain', 500)],
  ['status 503 with an OAuth error', json({ error: 'temporarily_unavailable' }, { status: 503 })],
  ['status 429', text('slow down', 'text/plain', 429)],
])('after %s the request is retried, and the caller gets a token', async (_what, response) => {
  const { outcome, requests } = respondingWith(response, response)
  expect(await outcome()).toBe('good-3')
  expect(requests()).toBe(3)
})

test.each<[string, () => Response, object]>([
  ['an unknown token type', json({ access_token: 'a', token_type: 'mac' }), { error: 'invalid_response' }],
  [
    'a DPoP token for a client without DPoP',
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
  ['a 401 without an OAuth error', text('', 'text/plain', 401), { error: 'invalid_client', status: 401 }],
  [
    'a 401 with a challenge and an OAuth error',
    json(
      { error: 'invalid_client', error_description: 'unknown' },
      { status: 401, headers: { 'www-authenticate': 'Basic' } },
    ),
    { error: 'invalid_client', errorDescription: 'unknown', status: 401 },
  ],
])('%s fails the call without a retry', async (_what, response, expected) => {
  const { outcome, requests } = respondingWith(response)
  expect(await outcome()).toMatchObject({ code: 'token_request_failed', retryable: false, ...expected })
  expect(requests()).toBe(1)
})

test.each<[string, (clock: TestClock) => Record<string, string>]>([
  ['seconds', () => ({ 'retry-after': '7' })],
  [
    "a date, compared with the server's Date header,",
    () => ({ 'retry-after': 'Wed, 01 Jan 2020 00:00:07 GMT', date: 'Wed, 01 Jan 2020 00:00:00 GMT' }),
  ],
])('Retry-After as %s delays the retry', async (_form, headers) => {
  const holder: { clock?: TestClock } = {}
  const { tokens, clock, requests } = respondingWith(
    () => new Response('', { status: 429, headers: headers(holder.clock ?? new TestClock()) }),
  )
  const token = tokens.getAccessToken('c')
  await clock.advance(6_900)
  expect(requests()).toBe(1)
  await clock.advance(400)
  expect((await token).value).toBe('good-2')
})

test('a Date header that is an hour behind does not change the lifetime', async () => {
  const date = new Date(Date.now() - 3_600_000).toUTCString()
  const { tokens, clock, requests } = respondingWith(
    json({ access_token: 'a', token_type: 'Bearer', expires_in: 100 }, { headers: { date } }),
  )
  const token = await tokens.getAccessToken('c')
  expect(Number(token.expiresAt) - clock.now()).toBe(100_000)
  await tokens.getAccessToken('c')
  expect(requests()).toBe(1)
})

test.each<[string, Parameters<import('@tokenward/identity-provider').Faults['fail']>[1]]>([
  ['a connection reset', 'reset'],
  ['status 502', { status: 502, body: 'bad gateway' }],
  [
    'a body that ends too early',
    { status: 200, headers: { 'content-type': 'application/json', 'content-length': '500' }, body: '{' },
  ],
])('a real server: after %s the request is retried', async (_what, fault) => {
  const provider = await startProvider()
  // Only the time limit ends the wait for the rest of the body, so it is short here.
  const tokens = managerFor(provider, { timeoutMs: 500 })
  provider.tokenEndpointFaults.fail(1, fault)
  expect((await tokens.getAccessToken('catalog.client')).type).toBe('Bearer')
  expect(provider.tokenRequests).toHaveLength(2)
})

test('a server that is gone fails the call with network_error and the error code of the system', async () => {
  const provider = await startProvider()
  const tokens = managerFor(provider)
  await provider.close()
  await expect(tokens.getAccessToken('catalog.client')).rejects.toMatchObject({
    error: 'network_error',
    errorDescription: 'ECONNREFUSED',
    retryable: true,
  })
})

test('a server that never responds fails the call with timeout', async () => {
  const provider = await startProvider()
  const tokens = managerFor(provider, { timeoutMs: 100 })
  provider.tokenEndpointFaults.fail(Number.POSITIVE_INFINITY, 'hang')
  await expect(tokens.getAccessToken('catalog.client')).rejects.toMatchObject({ error: 'timeout', retryable: true })
})
