import { attachTokens, createAxios } from '@tokenward/axios'
import { CLAIMS, claimsChallenge, movingApi } from '@tokenward/test-support'
import axios from 'axios'
import { expect, test } from 'vitest'
import { ADAPTERS, catalogSetup } from './support'

test.each(ADAPTERS)(
  'after a claims challenge, the request is sent once more with a token that was requested with the claims (%s)',
  async (adapter) => {
    const { catalog, provider, api } = await catalogSetup({ adapter })
    await catalog.get('list')
    api.faults.fail(1, claimsChallenge())
    const { data } = await catalog.post('echo', { a: 1 })
    expect(data.text).toBe('{"a":1}')
    expect(provider.tokenRequests.map(({ parameters }) => parameters.claims)).toEqual([undefined, CLAIMS])
    expect(api.requests.map(({ status }) => status)).toEqual([200, 401, 200])
  },
)

test('with claimsChallenges: false, the token is renewed without the claims', async () => {
  const { catalog, provider, api } = await catalogSetup({ claimsChallenges: false })
  api.faults.fail(1, claimsChallenge())
  await catalog.get('list')
  expect(provider.tokenRequests.map(({ parameters }) => parameters.claims)).toEqual([undefined, undefined])
})

const narrow = { tokenParameters: { scope: 'inventory' } }

test.each(ADAPTERS)(
  'after a 403 that demands an allowed scope, the request is sent once more, and later ones have it at once (%s)',
  async (adapter) => {
    const { catalog, provider, api } = await catalogSetup({ adapter, stepUp: { scopes: ['catalog'] } })
    const { data } = await catalog.post('echo', { a: 1 }, narrow)
    expect(data.text).toBe('{"a":1}')
    await catalog.post('echo', { a: 1 }, narrow)
    expect(api.requests.map(({ status }) => status)).toEqual([403, 200, 200])
    expect(provider.tokenRequests.map(({ scope }) => scope)).toEqual(['inventory', 'inventory catalog'])
  },
)

test('without the option the call rejects with the 403', async () => {
  const { catalog, api } = await catalogSetup()
  await expect(catalog.get('list', narrow)).rejects.toMatchObject({ response: { status: 403 } })
  expect(api.requests).toHaveLength(1)
})

test('an instance with tokens attached steps up, too', async () => {
  const { tokens, api } = await catalogSetup()
  const instance = axios.create({ baseURL: api.baseURL })
  attachTokens(instance, tokens, 'catalog.client', { ...narrow, stepUp: { scopes: ['catalog'] } })
  expect((await instance.get('list')).status).toBe(200)
  expect(api.requests.map(({ status }) => status)).toEqual([403, 200])
})

test.each(ADAPTERS)(
  'when the API has moved to another allowed authorization server, the token comes from there (%s)',
  async (adapter) => {
    const { api, tokens, baseURL, one, two } = await movingApi()
    const instance = createAxios(tokens, 'c', { baseURL, adapter })
    await instance.get('echo')
    api.move()
    expect((await instance.post('echo', { a: 1 })).data).toEqual({ text: '{"a":1}' })
    expect([one.tokenRequests.length, two.tokenRequests.length, api.metadataRequests]).toEqual([1, 1, 2])
  },
)
