import { CLAIMS, claimsChallenge } from '@tokenward/test-support'
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
