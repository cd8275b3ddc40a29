import { createTokenManager, type TokenCache, TokenRequestError } from '@tokenward/core'
import { LeasingStore } from '@tokenward/test-support'
import { expect, test } from 'vitest'
import { definition, scripted, settle } from './support'

const KEY = expect.stringMatching(/^[0-9a-f]{64}$/)
const refused = () =>
  new TokenRequestError({ client: 'catalog.client', error: 'invalid_client', status: 401, retryable: false })

test('before the first use: every client, and no token', () => {
  const { tokens, endpoint } = scripted()
  expect(tokens.status()).toEqual({
    isClosed: false,
    store: 'none',
    clients: {
      'catalog.client': { circuit: 'closed', tokens: [] },
      'invoice.client': { circuit: 'closed', tokens: [] },
    },
  })
  expect(endpoint.requests).toHaveLength(0)
})

test('each token with its scope, source, age and end, as plain values without the token', async () => {
  const { tokens, clock } = scripted({ store: new LeasingStore() })
  await tokens.getAccessToken('catalog.client')
  await tokens.getAccessToken('catalog.client', { scope: 'narrow' })
  await clock.advance(10_000)
  const status = tokens.status()
  const token = {
    key: KEY,
    state: 'valid',
    source: 'endpoint',
    validUntil: '2030-01-01T00:01:40.000Z',
    ageMs: 10_000,
    lifetimeMs: 100_000,
    inFlight: false,
  }
  expect(status.store).toBe('ok')
  expect(status.clients['catalog.client']?.tokens).toHaveLength(2)
  expect(status.clients['catalog.client']?.tokens).toEqual(
    expect.arrayContaining([
      { ...token, scope: 'catalog' },
      { ...token, scope: 'narrow' },
    ]),
  )
  expect(JSON.parse(JSON.stringify(status))).toEqual(status)
  expect(JSON.stringify(status)).not.toContain('token-1')
})

test('a request under way, a rejected token and an expired one', async () => {
  const { tokens, clock, endpoint } = scripted()
  const stateOf = () => tokens.status().clients['catalog.client']?.tokens
  endpoint.latencyMs = 100
  const first = tokens.getAccessToken('catalog.client')
  await settle()
  expect(stateOf()).toEqual([{ key: KEY, state: 'missing', inFlight: true }])
  await clock.advance(100)
  const token = await first
  await tokens.rejectAccessToken('catalog.client', token)
  expect(stateOf()).toMatchObject([{ state: 'rejected', inFlight: false }])
  await clock.advance(101_000)
  expect(stateOf()).toMatchObject([{ state: 'expired' }])
})

test('why a token cannot be had, and the circuit of its endpoint', async () => {
  const { tokens, clock, endpoint } = scripted()
  endpoint.respondAlways(refused())
  await tokens.getAccessToken('catalog.client').catch(() => undefined)
  const at = '2030-01-01T00:00:00.000Z'
  const lastError = { error: 'invalid_client', status: 401, retryable: false, at }
  expect(tokens.status().clients['catalog.client']).toEqual({
    circuit: 'closed',
    tokens: [{ key: KEY, state: 'missing', inFlight: false, lastError }],
  })
  endpoint.respondAlways(Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNREFUSED' } }))
  const call = tokens.getAccessToken('invoice.client').catch(() => undefined)
  await clock.advance(3_000)
  await call
  expect(tokens.status().clients['invoice.client']).toMatchObject({
    circuit: 'open',
    tokens: [{ lastError: { error: 'network_error', errorDescription: 'ECONNREFUSED' } }],
  })
  endpoint.respondAlways(undefined)
  await clock.advance(6_000)
  await tokens.getAccessToken('invoice.client')
  await tokens.getAccessToken('catalog.client')
  expect(JSON.stringify(tokens.status())).not.toMatch(/lastError|open/)
})

test('a store that fails', async () => {
  const store = new LeasingStore()
  const { tokens } = scripted({ store })
  store.broken = () => Promise.reject(new Error('gone'))
  await tokens.getAccessToken('catalog.client')
  expect(tokens.status().store).toBe('failing')
})

test('definitions that are not loaded have no circuit; clients that were found and removed; a closed manager', async () => {
  const tokens = createTokenManager({
    clients: { late: async () => definition },
    resolveClient: async () => definition,
    requester: { request: async () => ({ access_token: 't', token_type: 'Bearer', expires_in: 60 }) },
  })
  expect(tokens.status().clients).toEqual({ late: { tokens: [] } })
  await tokens.getAccessToken('tenant')
  await tokens.getAccessToken('late')
  expect(tokens.status().clients).toMatchObject({
    late: { circuit: 'closed', tokens: [{ state: 'valid' }] },
    tenant: { circuit: 'closed', tokens: [{ state: 'valid' }] },
  })
  tokens.removeClient('tenant')
  expect(Object.keys(tokens.status().clients)).toEqual(['late'])
  await tokens.close()
  expect(tokens.status()).toEqual({
    isClosed: true,
    store: 'none',
    clients: { late: { circuit: 'closed', tokens: [] } },
  })
})

test('a custom cache without status: what it holds', async () => {
  const token = { value: 'secret', type: 'Bearer', expiresAt: new Date(0), scope: 's', client: 'c' } as const
  const cache: TokenCache = {
    get: async () => token,
    reject: () => true,
    async delete() {},
    async clear() {},
    held: () => [token, { ...token, expiresAt: undefined, scope: undefined }],
    forget() {},
    async close() {},
  }
  const tokens = createTokenManager({ clients: { c: definition }, cache })
  expect(tokens.status()).toEqual({
    isClosed: false,
    store: 'none',
    clients: {
      c: {
        circuit: 'closed',
        tokens: [{ state: 'valid', scope: 's', validUntil: '1970-01-01T00:00:00.000Z' }, { state: 'valid' }],
      },
    },
  })
  await tokens.warmUp()
  const seen: unknown[] = []
  const stop = tokens.keepFresh('c', ({ client }) => seen.push(client))
  await settle()
  stop()
  expect(seen).toEqual(['c'])
})
