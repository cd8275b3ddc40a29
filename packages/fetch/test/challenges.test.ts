import { createFetch } from '@tokenward/fetch'
import { CLAIMS, claimsChallenge, dpopTokens, movingApi } from '@tokenward/test-support'
import { expect, test } from 'vitest'
import { catalogSetup } from './support'

test('after a claims challenge, the request is sent once more with a token that was requested with the claims', async () => {
  const { catalog, provider, api } = await catalogSetup()
  await catalog('list')
  api.faults.fail(1, claimsChallenge())
  const response = await catalog('echo', { method: 'POST', body: 'the body' })
  expect([response.status, (await response.json()).text]).toEqual([200, 'the body'])
  expect(provider.tokenRequests.map(({ parameters, status }) => [parameters.claims, status])).toEqual([
    [undefined, 200],
    [CLAIMS, 200],
  ])
  await catalog('list')
  expect(api.requests.map(({ status }) => status)).toEqual([200, 401, 200, 200])
  expect(provider.tokenRequests).toHaveLength(2)
})

test('the caller gets the second challenge, with its body', async () => {
  const { catalog, provider, api } = await catalogSetup()
  api.faults.fail(Number.POSITIVE_INFINITY, claimsChallenge())
  for (let call = 0; call < 10; call++) {
    const response = await catalog('list')
    expect([response.status, await response.json()]).toEqual([401, { error: 'insufficient_claims' }])
  }
  expect(provider.tokenRequests).toHaveLength(2)
})

/** The API wants the scope `catalog`, and says so. */
const narrow = { tokenParameters: { scope: 'inventory' } }

test('after a 403 that demands an allowed scope, the request is sent once more, and later ones have it at once', async () => {
  const { tokens, provider, api } = await catalogSetup()
  const options = { baseURL: api.baseURL, ...narrow, stepUp: { scopes: ['catalog'] } }
  const catalog = createFetch(tokens, 'catalog.client', options)
  const response = await catalog('echo', { method: 'POST', body: 'the body' })
  expect([response.status, (await response.json()).text]).toEqual([200, 'the body'])
  expect(
    (await catalog('echo', { method: 'POST', body: new Blob(['x']).stream(), duplex: 'half' } as RequestInit)).ok,
  ).toBe(true)
  expect(api.requests.map(({ status }) => status)).toEqual([403, 200, 200])
  expect(provider.tokenRequests.map(({ scope }) => scope)).toEqual(['inventory', 'inventory catalog'])
})

test('without the option the caller gets the 403, with its body', async () => {
  const { catalog, api } = await catalogSetup()
  const response = await catalog('list', narrow)
  expect([response.status, await response.json()]).toEqual([403, { error: 'insufficient_scope' }])
  expect(api.requests).toHaveLength(1)
})

test('a DPoP client steps up, too', async () => {
  const { provider, api, start } = await dpopTokens()
  const catalog = createFetch(start(), 'c', { baseURL: api.baseURL, ...narrow, stepUp: { scopes: ['catalog'] } })
  expect((await catalog('list')).status).toBe(200)
  expect(api.requests.map(({ status }) => status)).toEqual([403, 200])
  expect(provider.tokenRequests.map(({ scope }) => scope)).toEqual(['inventory', 'inventory catalog'])
})

test('when the API has moved to another allowed authorization server, the token comes from there', async () => {
  const { api, tokens, baseURL, one, two } = await movingApi()
  const call = createFetch(tokens, 'c', { baseURL })
  expect((await call('echo')).status).toBe(200)
  api.move()
  const response = await call('echo', { method: 'POST', body: 'the body' })
  expect([response.status, await response.json()]).toEqual([200, { text: 'the body' }])
  expect((await call('echo')).status).toBe(200)
  expect([one.tokenRequests.length, two.tokenRequests.length, api.metadataRequests]).toEqual([1, 1, 2])
})
