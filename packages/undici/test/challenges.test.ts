import { CLAIMS, claimsChallenge } from '@tokenward/test-support'
import { describe, expect, test } from 'vitest'
import { catalogSetup, VERSIONS } from './support'

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
})
