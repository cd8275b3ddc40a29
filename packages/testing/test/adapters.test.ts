import { OriginNotAllowedError, TokenRequestError } from '@tokenward/core'
import { createFetch } from '@tokenward/fetch'
import { createTestTokens } from '@tokenward/testing'
import { expect, test } from 'vitest'

const baseURL = 'https://apis.company.com/invoice/'

/** An API in place of the network: these tests are about what a user's own unit test would do. */
function fakeApi(accepts: (authorization: string | null) => boolean = () => true) {
  const requests: { url: string; authorization: string | null }[] = []
  const api: typeof fetch = async (input, init) => {
    const { url, headers } = new Request(input, init)
    const authorization = headers.get('authorization')
    requests.push({ url, authorization })
    return new Response('[]', { status: accepts(authorization) ? 200 : 401 })
  }
  return { fetch: api, requests }
}

test('an adapter sends the scripted token, and its parameters are recorded', async () => {
  const tokens = createTestTokens({ clients: { 'invoice.client': { value: 'secret-token' } } })
  const api = fakeApi()
  const invoices = createFetch(tokens, 'invoice.client', { baseURL, fetch: api.fetch })
  await invoices('list', { tokenParameters: { scope: 'invoice.read' } })
  expect(api.requests).toEqual([{ url: `${baseURL}list`, authorization: 'Bearer secret-token' }])
  expect(tokens.calls).toMatchObject([{ client: 'invoice.client', options: { scope: 'invoice.read' } }])
})

test('a 401 is followed by one request with a new token', async () => {
  const tokens = createTestTokens({ clients: { 'invoice.client': { value: ['stale', 'good'] } } })
  const api = fakeApi((authorization) => authorization === 'Bearer good')
  const invoices = createFetch(tokens, 'invoice.client', { baseURL, fetch: api.fetch })
  expect((await invoices('list')).status).toBe(200)
  expect(api.requests.map(({ authorization }) => authorization)).toEqual(['Bearer stale', 'Bearer good'])
  expect(tokens.rejections).toMatchObject([{ client: 'invoice.client', value: 'stale', willRenew: true }])
})

test('a token that cannot be had rejects the call, and the API gets no request', async () => {
  const tokens = createTestTokens({ clients: { 'invoice.client': {} } })
  const api = fakeApi()
  const invoices = createFetch(tokens, 'invoice.client', { baseURL, fetch: api.fetch })
  tokens.failNext('invoice.client', { error: 'server_error', retryAfterMs: 2_000 })
  await expect(invoices('list')).rejects.toThrow(TokenRequestError)
  expect(api.requests).toEqual([])
  await tokens.clock.advance(2_000)
  expect((await invoices('list')).status).toBe(200)
})

test('the rules of the real manager hold: origins, plain http, DPoP', async () => {
  const tokens = createTestTokens({ clients: { a: {}, plain: { allowInsecureRequests: true }, bound: { dpop: true } } })
  const api = fakeApi()
  await expect(createFetch(tokens, 'a', { baseURL })('https://elsewhere.example/')).rejects.toThrow(
    OriginNotAllowedError,
  )
  expect(() => createFetch(tokens, 'a', { baseURL: 'http://api.test/' })).toThrow('plain http')
  expect(() => createFetch(tokens, 'plain', { baseURL: 'http://api.test/' })).not.toThrow()
  await createFetch(tokens, 'bound', { baseURL, fetch: api.fetch })('list')
  expect(api.requests[0]?.authorization).toBe('DPoP bound-token-1')
})
