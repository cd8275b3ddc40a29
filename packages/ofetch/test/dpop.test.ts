import { createTokenManager } from '@tokenward/core'
import { startIdentityProvider } from '@tokenward/identity-provider'
import { createOfetch } from '@tokenward/ofetch'
import { expect, onTestFinished, test } from 'vitest'

test('a client with a key: proofs, a nonce challenge and a redirect are nothing that the caller sees', async () => {
  const provider = await startIdentityProvider({
    clients: { 'dpop.client': { metadata: { dpop_bound_access_tokens: true } } },
  })
  const { clientId, clientSecret } = provider.client('dpop.client')
  const { tokenEndpoint, catalog: api } = provider
  const tokens = createTokenManager({
    clients: { c: { tokenEndpoint, clientId, clientSecret, scope: 'catalog', dpop: true } },
  })
  onTestFinished(async () => {
    await tokens.close()
    await provider.close()
  })
  const catalog = createOfetch(tokens, 'c', { baseURL: api.baseURL, proofClaims: { purpose: 'audit' } })
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
