import { CLAIMS, claimsChallenge } from '@tokenward/test-support'
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
