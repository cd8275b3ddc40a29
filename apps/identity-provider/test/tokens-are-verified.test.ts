import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type IdentityProvider, startIdentityProvider } from '../src'

let provider: IdentityProvider

beforeAll(async () => {
  provider = await startIdentityProvider({ clients: { 'narrow.client': { scope: 'inventory' } } })
})
beforeEach(() => provider.reset())
afterAll(() => provider.close())

function basic(name: string, secret = provider.client(name).clientSecret): string {
  const encode = (text: string) => new URLSearchParams({ '': text }).toString().slice(1)
  return `Basic ${btoa(`${encode(provider.client(name).clientId)}:${encode(secret)}`)}`
}

async function requestToken(name: string, form: Record<string, string> = {}, authorization = basic(name)) {
  const { scope } = provider.client(name)
  const body = new URLSearchParams({ grant_type: 'client_credentials', scope, ...form })
  const response = await fetch(provider.tokenEndpoint, { method: 'POST', headers: { authorization }, body })
  return { status: response.status, ...((await response.json()) as { access_token: string; error?: string }) }
}

function call(url: string, token: string): Promise<Response> {
  return fetch(url, { headers: { authorization: `Bearer ${token}` } })
}

test('a client with a secret of special characters gets a token by client_secret_basic, and its API takes it', async () => {
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
  const wrong = await requestToken('catalog.client', {}, basic('catalog.client', 'wrong'))
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
  provider.setTokenLifetime(1, 'invoice.client')
  const { access_token: token } = await requestToken('invoice.client')
  expect((await call(`${provider.invoice.baseURL}test`, token)).status).toBe(200)
  await sleep(1_100)
  expect((await call(`${provider.invoice.baseURL}test`, token)).status).toBe(401)
})

test('metadata is published by both names, or by that of RFC 8414 only', async () => {
  const read = (name: string) => fetch(`${provider.issuer}/.well-known/${name}`)
  expect(await (await read('openid-configuration')).json()).toMatchObject({ token_endpoint: provider.tokenEndpoint })
  expect(await (await read('oauth-authorization-server')).json()).toMatchObject({ issuer: provider.issuer })
  provider.publishesOpenIdMetadata = false
  expect((await read('openid-configuration')).status).toBe(404)
  provider.publishesOpenIdMetadata = true
})

test('faults are met in their order, recorded, and cleared', async () => {
  provider.tokenEndpointFaults.fail(1, { status: 503, headers: { 'retry-after': '1' } })
  provider.tokenEndpointFaults.fail(1, 'reset')
  const ask = () => fetch(provider.tokenEndpoint, { method: 'POST', body: 'grant_type=client_credentials' })
  expect((await ask()).status).toBe(503)
  await expect(ask()).rejects.toThrow()
  provider.tokenEndpointFaults.fail(Infinity, { status: 500 })
  provider.tokenEndpointFaults.clear()
  expect((await requestToken('catalog.client')).status).toBe(200)
  expect(provider.tokenRequests.map(({ status }) => status)).toEqual([503, 0, 200])
})

test('after close nothing listens', async () => {
  const other = await startIdentityProvider()
  await fetch(`${other.issuer}/.well-known/openid-configuration`)
  await other.close()
  await expect(fetch(other.issuer)).rejects.toThrow('fetch failed')
})
