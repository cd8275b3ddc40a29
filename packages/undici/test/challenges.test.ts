import { Readable } from 'node:stream'
import { CLAIMS, claimsChallenge, movingApi } from '@tokenward/test-support'
import { describe, expect, test } from 'vitest'
import { authorizedAgent, catalogSetup, dpopSetup, VERSIONS } from './support'

describe.each(VERSIONS)('undici %s', (_version, undici) => {
  test('after a claims challenge, the request is sent once more with a token that was requested with the claims', async () => {
    const { call, provider, api } = await catalogSetup(undici)
    await (await call('list')).body.dump()
    api.faults.fail(1, claimsChallenge())
    const { statusCode, body } = await call('echo', { method: 'POST', body: 'the body' })
    expect([statusCode, ((await body.json()) as { text: string }).text]).toEqual([200, 'the body'])
    expect(provider.tokenRequests.map(({ parameters }) => parameters.claims)).toEqual([undefined, CLAIMS])
    expect(api.requests.map(({ status }) => status)).toEqual([200, 401, 200])
  })

  const narrow = { tokenParameters: { scope: 'inventory' } }

  test('after a 403 that demands an allowed scope, the request is sent once more, and later ones have it at once', async () => {
    const { call, provider, api } = await catalogSetup(undici, { ...narrow, stepUp: { scopes: ['catalog'] } })
    const { statusCode, body } = await call('echo', { method: 'POST', body: 'the body' })
    expect([statusCode, ((await body.json()) as { text: string }).text]).toEqual([200, 'the body'])
    const again = await call('echo', { method: 'POST', body: Readable.from(['streamed']) })
    expect(((await again.body.json()) as { text: string }).text).toBe('streamed')
    expect(api.requests.map(({ status }) => status)).toEqual([403, 200, 200])
    expect(provider.tokenRequests.map(({ scope }) => scope)).toEqual(['inventory', 'inventory catalog'])
  })

  test('without the option, or with a scope that is not allowed, the caller gets the 403 with its body', async () => {
    for (const stepUp of [undefined, { scopes: ['other'] }]) {
      const { call, api } = await catalogSetup(undici, { ...narrow, stepUp })
      const { statusCode, body } = await call('list')
      expect([statusCode, await body.json()]).toEqual([403, { error: 'insufficient_scope' }])
      expect(api.requests).toHaveLength(1)
    }
  })

  test('a DPoP client gets a 403 with its body, too', async () => {
    const { call, api } = await dpopSetup(undici)
    api.faults.fail(1, { status: 403, body: 'x'.repeat(100_000) })
    const { statusCode, body } = await call('list')
    expect([statusCode, (await body.text()).length]).toEqual([403, 100_000])
  })

  test('when the API has moved to another allowed authorization server, the token comes from there', async () => {
    const { api, tokens, baseURL, one, two } = await movingApi()
    const dispatcher = authorizedAgent(undici, tokens, 'c', { baseURL })
    const call = (body: string) => undici.request(`${baseURL}/echo`, { dispatcher, method: 'POST', body })
    await (await call('first')).body.dump()
    api.move()
    const { statusCode, body } = await call('second')
    expect([statusCode, await body.json()]).toEqual([200, { text: 'second' }])
    expect([one.tokenRequests.length, two.tokenRequests.length, api.metadataRequests]).toEqual([1, 1, 2])
  })
})
