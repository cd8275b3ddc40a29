import { createOfetch } from '@tokenward/ofetch'
import { dpopTokens } from '@tokenward/test-support'
import { expect, test } from 'vitest'

test('proofs, a nonce challenge and a redirect are handled without the caller', async () => {
  const { provider, api, start } = await dpopTokens()
  const catalog = createOfetch(start(), 'c', { baseURL: api.baseURL, proofClaims: { purpose: 'audit' } })
  api.noncePolicy = 'required'
  expect(await catalog('redirect', { query: { to: 'test' } })).toEqual({ ok: true })
  await catalog('test', { proofClaims: { purpose: 'other' } })
  expect(api.requests.map(({ status }) => status)).toEqual([401, 302, 200, 200])
  const purposes = api.requests.map(({ headers }) => {
    const [, claims = ''] = String(headers.dpop).split('.')
    return JSON.parse(Buffer.from(claims, 'base64url').toString('utf8')).purpose
  })
  expect(purposes).toEqual(['audit', 'audit', 'audit', 'other'])
  expect(provider.tokenRequests).toHaveLength(1)
})
