import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { type IdentityProvider, startIdentityProvider } from '../src'
import { basic, bearer as call, requestToken as requestTokenOf } from './support'

let provider: IdentityProvider

beforeAll(async () => {
  provider = await startIdentityProvider({ clients: { 'narrow.client': { scope: 'inventory' } } })
})
beforeEach(() => provider.reset())
afterAll(() => provider.close())

const requestToken = (name: string, form?: Record<string, string>, authorization?: string) =>
  requestTokenOf(provider, name, form, authorization)

test('a client with a secret of special characters gets a token by client_secret_basic, and its API accepts it', async () => {
  const { access_token } = await requestToken('catalog.client')
  const response = await call(`${provider.catalog.baseURL}list`, access_token)
  expect(response.status).toBe(200)
  expect(await response.json()).toHaveLength(3)
  expect(provider.tokenRequests).toMatchObject([{ clientId: provider.client('catalog.client').clientId, status: 200 }])
  expect(JSON.stringify(provider.tokenRequests[0]?.parameters)).not.toContain('secret')
})

test('client_secret_post works for the client that is registered for it', async () => {
  const { clientId, clientSecret } = provider.client('catalog.post')
  const form = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret }
  const response = await fetch(provider.tokenEndpoint, { method: 'POST', body: new URLSearchParams(form) })
  expect(response.status).toBe(200)
})

test('a wrong secret, scope or resource is refused with its OAuth code', async () => {
  const wrong = await requestToken('catalog.client', {}, basic(provider, 'catalog.client', 'wrong'))
  expect(wrong).toMatchObject({ status: 401, error: 'invalid_client' })
  expect(await requestToken('catalog.client', { scope: 'invoice' })).toMatchObject({ error: 'invalid_scope' })
  expect(await requestToken('catalog.client', { resource: 'urn:other' })).toMatchObject({ error: 'invalid_target' })
})

test('an API refuses a token that is missing, for another API, tampered with, or revoked', async () => {
  const { access_token: token } = await requestToken('catalog.client')
  const [header, payload, signature] = token.split('.')
  expect((await fetch(`${provider.catalog.baseURL}test`)).status).toBe(401)
  expect((await call(`${provider.invoice.baseURL}test`, token)).status).toBe(401)
  expect(
    (await call(`${provider.catalog.baseURL}test`, `${header}.${payload}.${signature?.replace(/^./, '_')}x`)).status,
  ).toBe(401)
  provider.revoke(token)
  const response = await call(`${provider.catalog.baseURL}test`, token)
  expect(response.status).toBe(401)
  expect(response.headers.get('www-authenticate')).toContain('invalid_token')
  expect(provider.catalog.requests.map(({ status }) => status)).toEqual([401, 401, 401])
})

test('an API refuses a token whose scope is too narrow with 403', async () => {
  const { access_token: token } = await requestToken('narrow.client', { scope: 'inventory' })
  expect((await call(`${provider.catalog.baseURL}test`, token)).status).toBe(403)
})

test('an API refuses a token that has expired', async () => {
  provider.setTokenLifetime(60, 'invoice.client')
  const { access_token: token } = await requestToken('invoice.client')
  expect((await call(`${provider.invoice.baseURL}test`, token)).status).toBe(200)
  // A mock of the clock of this process, which the server uses.
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 61_000 })
  onTestFinished(() => void vi.useRealTimers())
  expect((await call(`${provider.invoice.baseURL}test`, token)).status).toBe(401)
})

test('the metadata is at both well-known paths, or at that of RFC 8414 only', async () => {
  const read = (name: string) => fetch(`${provider.issuer}/.well-known/${name}`)
  expect(await (await read('openid-configuration')).json()).toMatchObject({ token_endpoint: provider.tokenEndpoint })
  expect(await (await read('oauth-authorization-server')).json()).toMatchObject({ issuer: provider.issuer })
  provider.publishesOpenIdMetadata = false
  expect((await read('openid-configuration')).status).toBe(404)
  provider.publishesOpenIdMetadata = true
})
