import { createOfetch } from '@tokenward/ofetch'
import { CLAIMS, claimsChallenge, movingApi } from '@tokenward/test-support'
import { expect, test } from 'vitest'
import { catalogSetup } from './support'

test('after a claims challenge, the request is sent once more with a token that was requested with the claims', async () => {
  const { catalog, provider, api } = await catalogSetup()
  await catalog('list')
  api.faults.fail(1, claimsChallenge())
  const echoed = await catalog<{ text: string }>('echo', { method: 'POST', body: { a: 1 } })
  expect(echoed.text).toBe('{"a":1}')
  expect(provider.tokenRequests.map(({ parameters }) => parameters.claims)).toEqual([undefined, CLAIMS])
  expect(api.requests.map(({ status }) => status)).toEqual([200, 401, 200])
})

test('with claimsChallenges: false, the token is renewed without the claims', async () => {
  const { catalog, provider, api } = await catalogSetup({ claimsChallenges: false })
  api.faults.fail(1, claimsChallenge())
  await catalog('list')
  expect(provider.tokenRequests.map(({ parameters }) => parameters.claims)).toEqual([undefined, undefined])
})

test('after a 403 that demands an allowed scope, the request is sent once more, and later ones have it at once', async () => {
  const { catalog, provider, api } = await catalogSetup({ stepUp: { scopes: ['catalog'] } })
  const narrow = { tokenParameters: { scope: 'inventory' } }
  const echoed = await catalog<{ text: string }>('echo', { ...narrow, method: 'POST', body: { a: 1 } })
  expect(echoed.text).toBe('{"a":1}')
  await catalog('echo', { ...narrow, method: 'POST', body: { a: 1 } })
  expect(api.requests.map(({ status }) => status)).toEqual([403, 200, 200])
  expect(provider.tokenRequests.map(({ scope }) => scope)).toEqual(['inventory', 'inventory catalog'])
})

test('without the option the call rejects with the 403', async () => {
  const { catalog, api } = await catalogSetup()
  const call = catalog('list', { tokenParameters: { scope: 'inventory' } })
  await expect(call).rejects.toMatchObject({ status: 403, data: { error: 'insufficient_scope' } })
  expect(api.requests).toHaveLength(1)
})

test('when the API has moved to another allowed authorization server, the token comes from there', async () => {
  const { api, tokens, baseURL, one, two } = await movingApi()
  const call = createOfetch(tokens, 'c', { baseURL })
  await call('echo')
  api.move()
  expect(await call('echo', { method: 'POST', body: { a: 1 } })).toEqual({ text: '{"a":1}' })
  expect([one.tokenRequests.length, two.tokenRequests.length, api.metadataRequests]).toEqual([1, 1, 2])
})
