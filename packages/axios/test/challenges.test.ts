import { CLAIMS, claimsChallenge } from '@tokenward/test-support'
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
