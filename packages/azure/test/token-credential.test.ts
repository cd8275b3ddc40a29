import type { GetTokenOptions } from '@azure/core-auth'
import { SecretClient } from '@azure/keyvault-secrets'
import { createTokenCredential } from '@tokenward/azure'
import { ConfigurationError, createTokenManager, TokenRequestError } from '@tokenward/core'
import { catalogTokens, dpopTokens, SkippableClock, tokensOf } from '@tokenward/test-support'
import { expect, onTestFinished, test } from 'vitest'
import { sdkClient, startService } from './support'

type AbortSignalLike = NonNullable<GetTokenOptions['abortSignal']>

async function setup({ clock }: { clock?: SkippableClock } = {}) {
  const { provider, tokens } = await catalogTokens(undefined, { clock })
  const service = await startService(provider)
  const credential = createTokenCredential(tokens, 'catalog.client')
  return { provider, tokens, service, credential, call: sdkClient(service, credential, 'catalog') }
}

test('clients of the SDK share the token of the manager', async () => {
  const { provider, service, credential, tokens } = await setup()
  const clients = Array.from({ length: 20 }, () => sdkClient(service, credential, ['catalog']))
  const responses = await Promise.all(clients.map((call) => call()))
  expect(responses.map(({ status }) => status)).toEqual(Array(20).fill(200))
  expect(new Set(service.tokens)).toEqual(
    new Set([(await tokens.getAccessToken('catalog.client', { scope: 'catalog' })).value]),
  )
  expect(provider.tokenRequests.map(({ parameters }) => parameters.scope)).toEqual(['catalog'])
})

test('after a revocation with a claims challenge: one new token with the claims for all clients, and no client sees the 401', async () => {
  const { provider, service, credential } = await setup()
  const clients = Array.from({ length: 20 }, () => sdkClient(service, credential, 'catalog'))
  await Promise.all(clients.map((call) => call()))
  provider.revokeIssued()
  const responses = await Promise.all(clients.map((call) => call()))
  expect(responses.map(({ status }) => status)).toEqual(Array(20).fill(200))
  expect(provider.tokenRequests.map(({ parameters }) => parameters.claims)).toEqual([undefined, service.claims])
  // A client that comes later gets the new token at once.
  expect((await sdkClient(service, credential, 'catalog')()).status).toBe(200)
  expect(service.tokens).toHaveLength(61)
  expect(provider.tokenRequests).toHaveLength(2)

  service.claims = '{"access_token":{"nbf":{"essential":true,"value":"1604109999"}}}'
  provider.revokeIssued()
  await expect.poll(async () => (await clients[0]?.())?.status).toBe(200)
  expect(provider.tokenRequests.at(-1)?.parameters.claims).toBe(service.claims)
})

test('across an expiry: the next request has a new token', async () => {
  const clock = new SkippableClock()
  const { provider, service, credential, tokens } = await setup({ clock })
  expect((await sdkClient(service, credential, 'catalog')()).status).toBe(200)
  clock.skip(3_600_000)
  expect((await sdkClient(service, credential, 'catalog')()).status).toBe(200)
  expect(provider.tokenRequests).toHaveLength(2)
  expect(new Set(service.tokens).size).toBe(2)
  await tokens.close()
})

test('a token that another caller has replaced: the SDK soon uses the new one', async () => {
  const { service, call, tokens } = await setup()
  await call()
  await tokens.getAccessToken('catalog.client', { scope: 'catalog', forceRenewal: true })
  // The clock of the SDK has milliseconds.
  await expect.poll(async () => (await call()) && service.tokens.at(-1)).not.toBe(service.tokens[0])
})

test('a service that challenges every token causes no storm', async () => {
  const { provider, service, call } = await setup()
  service.rejectsAll = true
  for (let count = 0; count < 30; count++) expect((await call()).status).toBe(401)
  expect(provider.tokenRequests.length).toBeLessThan(8)
})

test('claims that are none: the token is replaced, without them', async () => {
  const { provider, tokens } = await catalogTokens()
  const credential = createTokenCredential(tokens, 'catalog.client')
  for (const claims of [
    'no JSON',
    '[]',
    '{"id_token":{}}',
    JSON.stringify({ access_token: { x: 'y'.repeat(5_000) } }),
  ]) {
    await credential.getToken('catalog', { claims })
  }
  expect(provider.tokenRequests.map(({ parameters }) => parameters.claims).filter(Boolean)).toEqual([])
})

test('a real client of a vault, which learns scope and tenant from the service', async () => {
  const { provider, tokens } = await catalogTokens()
  const service = await startService(provider)
  const tenants: string[] = []
  const credential = createTokenCredential(tokens, 'catalog.client', {
    tokenParameters: ([scope]) => (scope === 'https://vault.example/.default' ? { scope: 'catalog' } : {}),
    clientOfTenant(tenantId) {
      tenants.push(tenantId)
      return 'catalog.client'
    },
  })
  const secrets = new SecretClient(new URL(service.url).origin, credential, {
    disableChallengeResourceVerification: true,
    retryOptions: { maxRetries: 0 },
    tlsOptions: { ca: service.certificate },
  })
  expect((await secrets.getSecret('s')).value).toBe('the-value')
  provider.revokeIssued()
  expect((await secrets.getSecret('s')).value).toBe('the-value')
  expect(provider.tokenRequests.map(({ parameters }) => [parameters.scope, parameters.claims])).toEqual([
    ['catalog', undefined],
    ['catalog', service.claims],
  ])
  expect(new Set(tenants)).toEqual(new Set(['tenant-2']))
})

test('what getToken returns', async () => {
  const { tokens, credential } = await setup()
  const { value, expiresAt } = await tokens.getAccessToken('catalog.client', { scope: 'catalog' })
  const before = Date.now()
  const token = await credential.getToken('catalog')
  expect(token).toEqual({
    token: value,
    expiresOnTimestamp: expiresAt?.getTime(),
    refreshAfterTimestamp: expect.any(Number),
    tokenType: 'Bearer',
  })
  expect(token?.refreshAfterTimestamp).toBeGreaterThanOrEqual(before)
})

test('no token: the request of the SDK fails with the reason, and nothing is sent', async () => {
  const { provider, service, call } = await setup()
  provider.tokenEndpointFaults.fail(Number.POSITIVE_INFINITY, { status: 401, body: { error: 'invalid_client' } })
  const [result] = await Promise.allSettled([call()])
  expect(result).toMatchObject({ reason: expect.any(TokenRequestError) })
  expect(service.tokens).toEqual([])
})

test('an aborted request does not wait for its token, by the platform’s signal and by one that looks like it', async () => {
  const { provider, credential, call } = await setup()
  provider.tokenEndpointFaults.fail(Number.POSITIVE_INFINITY, 'hang')
  const controller = new AbortController()
  const calls = [
    call(controller.signal),
    credential.getToken('catalog', { abortSignal: likeSignal(controller.signal) }),
  ]
  controller.abort()
  for (const result of await Promise.allSettled(calls)) {
    expect(result).toMatchObject({ status: 'rejected', reason: { name: 'AbortError' } })
  }
  const late = credential.getToken('catalog', { abortSignal: likeSignal(controller.signal) })
  await expect(late).rejects.toMatchObject({ name: 'AbortError' })
})

/** What libraries pass that bring their own signals. */
function likeSignal(signal: AbortSignal): AbortSignalLike {
  return {
    get aborted() {
      return signal.aborted
    },
    addEventListener: (type, listener) => signal.addEventListener(type, listener as () => void),
    removeEventListener: (type, listener) => signal.removeEventListener(type, listener as () => void),
  }
}

test('tokenParameters: an object, and a function of the scopes', async () => {
  const { provider, tokens } = await catalogTokens()
  const fixed = createTokenCredential(tokens, 'catalog.client', { tokenParameters: { scope: 'inventory' } })
  await fixed.getToken('https://vault.azure.net/.default')
  const computed = createTokenCredential(tokens, 'catalog.client', {
    tokenParameters: ([first]) => ({ scope: first?.endsWith('/.default') ? 'catalog' : 'none' }),
  })
  await computed.getToken(['https://vault.azure.net/.default'])
  expect(provider.tokenRequests.map(({ parameters }) => parameters.scope)).toEqual(['inventory', 'catalog'])
})

test('clientOfTenant: the client of the tenant that a service names', async () => {
  const definition = { tokenEndpoint: 'https://as.example/token', clientId: 'id', clientSecret: 's' }
  const tokens = createTokenManager({
    clients: { own: definition, 'tenant-2': definition },
    requester: { request: async ({ name }) => ({ access_token: name, token_type: 'Bearer', expires_in: 60 }) },
  })
  onTestFinished(() => tokens.close())
  const alone = createTokenCredential(tokens, 'own')
  expect((await alone.getToken('s', { tenantId: '2' }))?.token).toBe('own')
  const several = createTokenCredential(tokens, 'own', { clientOfTenant: () => 'tenant-2' })
  expect((await several.getToken('s', { tenantId: '2' }))?.token).toBe('tenant-2')
  expect((await several.getToken('s'))?.token).toBe('own')
})

test('a DPoP client: the SDK would send its token as Bearer, so there is an error', async () => {
  const { start } = await dpopTokens()
  const credential = createTokenCredential(start(), 'c')
  await expect(credential.getToken('catalog')).rejects.toThrow(ConfigurationError)
  await expect(credential.getToken('catalog')).rejects.toThrow("client 'c', dpop: gets tokens of the type DPoP")
})

test('what cannot be right is named at once', () => {
  expect(() => createTokenCredential({} as ReturnType<typeof tokensOf>, 'c')).toThrow(ConfigurationError)
  // @ts-expect-error no such client
  createTokenCredential(tokensOf(), 'd')
})
