import { ClientSecretPost, createTokenManager } from '@tokenward/core'
import { definitionsFor, managerFor, startProvider } from '@tokenward/test-support'
import { expect, test } from 'vitest'
import { TestClock } from './support'

test('client_secret_basic works with a secret that needs form encoding', async () => {
  const provider = await startProvider({ tokenLifetimeSeconds: 60 })
  const token = await managerFor(provider).getAccessToken('catalog.client')
  expect(token).toMatchObject({ type: 'Bearer', scope: 'catalog inventory', client: 'catalog.client' })
  expect(token.value.split('.')).toHaveLength(3)
  const remaining = Number(token.expiresAt) - Date.now()
  expect(remaining).toBeGreaterThan(0)
  expect(remaining).toBeLessThanOrEqual(60_000)
  const [request] = provider.tokenRequests
  expect(request?.headers.authorization).toMatch(/^Basic /)
  expect(request?.parameters).toEqual({ grant_type: 'client_credentials', scope: 'catalog inventory' })
})

test('a secret outside ASCII is sent in UTF-8, form-encoded (RFC 6749 §2.3.1)', async () => {
  // The server accepts no such secret (RFC 6749 appendix A), so this test checks the header that is sent.
  const sent: string[] = []
  const transport: typeof fetch = async (_input, init) => {
    sent.push(new Headers(init?.headers).get('authorization') ?? '')
    return Response.json({ access_token: 'a', token_type: 'bearer', expires_in: 60 })
  }
  const tokens = createTokenManager({
    clients: {
      c: { tokenEndpoint: 'https://as.example/token', clientId: 'ü:1', clientSecret: 'p ä%', fetch: transport },
    },
  })
  await tokens.getAccessToken('c')
  expect(sent.map((header) => atob(header.slice('Basic '.length)))).toEqual(['%C3%BC%3A1:p+%C3%A4%25'])
})

test('client_secret_post works with clientAuth', async () => {
  const provider = await startProvider()
  const { clientId, clientSecret } = provider.client('catalog.post')
  const tokens = createTokenManager({
    clients: {
      post: {
        tokenEndpoint: provider.tokenEndpoint,
        clientId,
        clientAuth: ClientSecretPost(clientSecret),
        scope: 'catalog',
      },
    },
  })
  expect((await tokens.getAccessToken('post')).scope).toBe('catalog')
  expect(provider.tokenRequests[0]?.headers.authorization).toBeUndefined()
})

test('concurrent calls discover an issuer once', async () => {
  const provider = await startProvider()
  const tokens = managerFor(provider)
  await Promise.all([
    tokens.getAccessToken('invoice.client'),
    tokens.getAccessToken('invoice.client', { scope: 'invoice.read' }),
  ])
  await tokens.getAccessToken('invoice.client', { forceRenewal: true })
  expect(provider.discoveryRequests).toBe(1)
  expect(provider.tokenRequests).toHaveLength(3)
})

test('an issuer whose metadata is only at the RFC 8414 URL is discovered', async () => {
  const provider = await startProvider()
  provider.publishesOpenIdMetadata = false
  expect((await managerFor(provider).getAccessToken('invoice.client')).scope).toBe('invoice')
})

test('a failed discovery is retried within the same call', async () => {
  const provider = await startProvider()
  const tokens = managerFor(provider)
  provider.discoveryFaults.fail(1, { status: 503 })
  expect((await tokens.getAccessToken('invoice.client')).scope).toBe('invoice')
})

test('1,000 concurrent first calls make one token request, and another client or scope makes its own', async () => {
  const provider = await startProvider()
  const tokens = managerFor(provider)
  const values = await Promise.all([
    ...Array.from({ length: 1_000 }, () => tokens.getAccessToken('catalog.client')),
    tokens.getAccessToken('invoice.client'),
    tokens.getAccessToken('catalog.client', { scope: 'catalog.read' }),
  ])
  expect(new Set(values.slice(0, 1_000).map(({ value }) => value)).size).toBe(1)
  expect(new Set(values.map(({ value }) => value)).size).toBe(3)
  expect(provider.tokenRequests).toHaveLength(3)
})

test('a token that lives 5 s is cached and renewed ahead of expiry, and no call waits for the endpoint', async () => {
  const provider = await startProvider({ tokenLifetimeSeconds: 5 })
  // A mock, so that a busy machine does not skip the time between 85 % of the lifetime and its last tenth.
  const clock = new TestClock()
  const tokens = managerFor(provider, { clock })
  const first = await tokens.getAccessToken('catalog.client')
  provider.tokenEndpointFaults.delayMs = 300
  let renewals = 0
  tokens.on('renewalStarted', () => renewals++)
  await clock.advance(3_700)
  expect((await tokens.getAccessToken('catalog.client')).value).toBe(first.value)
  expect(renewals).toBe(0)
  await clock.advance(600)
  expect((await tokens.getAccessToken('catalog.client')).value).toBe(first.value)
  expect(renewals).toBe(1)
  await expect.poll(async () => (await tokens.getAccessToken('catalog.client')).value).not.toBe(first.value)
  expect(provider.tokenRequests).toHaveLength(2)
})

test('the options of a call are sent instead of those of the definition', async () => {
  const provider = await startProvider()
  const tokens = createTokenManager({
    clients: { c: { ...definitionsFor(provider)['catalog.client'], parameters: { tenant: 'a', region: 'eu' } } },
  })
  await tokens.getAccessToken('c', {
    scope: 'catalog.read',
    resource: 'urn:catalog',
    audience: 'x',
    parameters: { tenant: 'b' },
  })
  expect(provider.tokenRequests[0]?.parameters).toEqual({
    grant_type: 'client_credentials',
    scope: 'catalog.read',
    resource: 'urn:catalog',
    audience: 'x',
    tenant: 'b',
    region: 'eu',
  })
})

test.each([
  ['invalid_client', { clientSecret: 'wrong-secret' }, 401],
  ['invalid_scope', { scope: 'invoice' }, 400],
  ['invalid_target', { resource: 'urn:nothing' }, 400],
])('%s fails the call with its code and status after one request', async (error, change, status) => {
  const provider = await startProvider()
  const tokens = createTokenManager({ clients: { c: { ...definitionsFor(provider)['catalog.client'], ...change } } })
  await expect(tokens.getAccessToken('c')).rejects.toMatchObject({
    name: 'TokenRequestError',
    code: 'token_request_failed',
    client: 'c',
    error,
    status,
    retryable: false,
  })
  expect(provider.tokenRequests).toHaveLength(1)
})

test('after invalid_client the secret supplier is called once more, and a rotated secret works', async () => {
  const provider = await startProvider()
  const { clientSecret, ...rest } = definitionsFor(provider)['catalog.client']
  const secrets = ['old-secret', clientSecret]
  const tokens = createTokenManager({
    clients: { c: { ...rest, clientSecret: async () => secrets.shift() ?? clientSecret } },
  })
  expect((await tokens.getAccessToken('c')).type).toBe('Bearer')
  expect(provider.tokenRequests.map(({ status }) => status)).toEqual([401, 200])
})
