import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type IdentityProvider, startIdentityProvider } from '../src'
import { bearer, requestToken } from './support'

let provider: IdentityProvider

beforeAll(async () => {
  provider = await startIdentityProvider()
})
beforeEach(() => provider.reset())
afterAll(() => provider.close())

const postToTokenEndpoint = (init: RequestInit = {}) =>
  fetch(provider.tokenEndpoint, { method: 'POST', body: 'grant_type=client_credentials', ...init })

test('the token endpoint fails as often as set, in order, and then works again', async () => {
  const { tokenEndpointFaults } = provider
  tokenEndpointFaults.fail(2, { status: 503, headers: { 'retry-after': '1' }, body: 'down' })
  tokenEndpointFaults.fail(1, { status: 400, body: { error: 'slow_down' } })
  const [first, second, third] = [await postToTokenEndpoint(), await postToTokenEndpoint(), await postToTokenEndpoint()]
  expect([first.status, first.headers.get('retry-after'), await first.text()]).toEqual([503, '1', 'down'])
  expect(second.status).toBe(503)
  expect(await third.json()).toEqual({ error: 'slow_down' })
  expect((await requestToken(provider, 'catalog.client')).status).toBe(200)
  expect(provider.tokenRequests.map(({ status }) => status)).toEqual([503, 503, 400, 200])
})

test('a connection that is reset is recorded with status 0', async () => {
  provider.tokenEndpointFaults.fail(1, 'reset')
  await expect(postToTokenEndpoint()).rejects.toThrow('fetch failed')
  expect(provider.tokenRequests).toMatchObject([{ status: 0, grantType: 'client_credentials' }])
})

test('a hanging request gets no response, and close ends it', async () => {
  const other = await startIdentityProvider()
  other.tokenEndpointFaults.fail(1, 'hang')
  const hanging = fetch(other.tokenEndpoint, { method: 'POST', body: 'a=b' }).catch((error: Error) => error)
  await expect.poll(() => other.tokenRequests.length).toBe(1)
  expect(other.tokenRequests[0]?.status).toBe(0)
  await other.close()
  expect(await hanging).toBeInstanceOf(TypeError)
})

test('Infinity fails until clear, and 0 times does nothing', async () => {
  provider.tokenEndpointFaults.fail(0, { status: 500 })
  expect((await requestToken(provider, 'catalog.client')).status).toBe(200)
  provider.tokenEndpointFaults.fail(Number.POSITIVE_INFINITY, { status: 500 })
  for (let number = 0; number < 5; number++) expect((await postToTokenEndpoint()).status).toBe(500)
  provider.tokenEndpointFaults.clear()
  expect((await requestToken(provider, 'catalog.client')).status).toBe(200)
})

test('an API fails without a check of the token, and recovers', async () => {
  const { access_token: token } = await requestToken(provider, 'invoice.client')
  provider.invoice.faults.fail(1, { status: 502, body: 'bad gateway' })
  provider.invoice.faults.fail(1, 'reset')
  const url = `${provider.invoice.baseURL}test`
  expect((await bearer(url, token)).status).toBe(502)
  await expect(bearer(url, token)).rejects.toThrow('fetch failed')
  expect((await bearer(url, token)).status).toBe(200)
  expect(provider.invoice.requests.map(({ status }) => status)).toEqual([502, 0, 200])
})

test('delayMs delays every response, also that of the metadata', async () => {
  const { access_token: token } = await requestToken(provider, 'catalog.client')
  const delayMs = 120
  for (const faults of [provider.tokenEndpointFaults, provider.discoveryFaults, provider.catalog.faults]) {
    faults.delayMs = delayMs
  }
  const calls = [
    () => requestToken(provider, 'catalog.client'),
    () => fetch(`${provider.issuer}/.well-known/openid-configuration`),
    () => bearer(`${provider.catalog.baseURL}test`, token),
  ]
  for (const call of calls) {
    const start = performance.now()
    expect((await call()).status).toBe(200)
    // By this clock, timers may fire up to a millisecond early.
    expect(performance.now() - start).toBeGreaterThanOrEqual(delayMs - 2)
  }
})

test('reset deletes records and faults, but not lifetimes and revocations', async () => {
  provider.setTokenLifetime(77, 'catalog.client')
  const { access_token: token } = await requestToken(provider, 'catalog.client')
  provider.revoke(token)
  provider.tokenEndpointFaults.fail(9, { status: 500 })
  provider.tokenEndpointFaults.delayMs = 60_000
  provider.reset()
  expect([provider.tokenRequests, provider.catalog.requests, provider.discoveryRequests]).toEqual([[], [], 0])
  expect(await requestToken(provider, 'catalog.client')).toMatchObject({ status: 200, expires_in: 77 })
  expect((await bearer(`${provider.catalog.baseURL}test`, token)).status).toBe(401)
})
