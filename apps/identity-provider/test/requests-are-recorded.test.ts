import { decodeJwt } from 'jose'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type IdentityProvider, startIdentityProvider } from '../src'
import { basic, bearer, requestToken } from './support'

let provider: IdentityProvider

beforeAll(async () => {
  provider = await startIdentityProvider()
})
beforeEach(() => provider.reset())
afterAll(() => provider.close())

test('a token request is recorded without its credentials', async () => {
  const before = performance.now()
  const { clientId, clientSecret } = provider.client('catalog.client')
  await requestToken(provider, 'catalog.client', { scope: 'catalog', resource: 'urn:catalog', tenant: 'a' })
  const [recorded] = provider.tokenRequests
  expect(recorded).toMatchObject({
    clientId,
    grantType: 'client_credentials',
    scope: 'catalog',
    resource: 'urn:catalog',
    parameters: { tenant: 'a' },
    status: 200,
  })
  expect(recorded?.headers['content-type']).toContain('application/x-www-form-urlencoded')
  expect(recorded?.at).toBeGreaterThanOrEqual(before)
  expect(JSON.stringify(recorded?.parameters)).not.toContain(clientSecret)
})

test('of a client that posts its secret only the id is recorded', async () => {
  const { clientId, clientSecret } = provider.client('catalog.post')
  const form = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret }
  await fetch(provider.tokenEndpoint, { method: 'POST', body: new URLSearchParams(form) })
  const [recorded] = provider.tokenRequests
  expect(recorded).toMatchObject({ clientId, status: 200, scope: undefined, resource: undefined })
  expect(recorded?.parameters).toEqual({ grant_type: 'client_credentials', client_id: clientId })
})

test('several resources are recorded as a list and refused', async () => {
  const body = new URLSearchParams([
    ['grant_type', 'client_credentials'],
    ['resource', 'urn:catalog'],
    ['resource', 'urn:invoice'],
  ])
  const headers = { authorization: basic(provider, 'catalog.client') }
  const response = await fetch(provider.tokenEndpoint, { method: 'POST', headers, body })
  expect(await response.json()).toMatchObject({ error: 'invalid_target' })
  expect(provider.tokenRequests[0]?.resource).toEqual(['urn:catalog', 'urn:invoice'])
})

test('credentials that are not form-encoded are recorded and refused', async () => {
  const headers = { authorization: `Basic ${btoa('a%zz:secret')}` }
  const response = await fetch(provider.tokenEndpoint, {
    method: 'POST',
    headers,
    body: new URLSearchParams({ a: 'b' }),
  })
  expect(response.status).toBeGreaterThanOrEqual(400)
  expect(provider.tokenRequests).toMatchObject([{ clientId: 'a%zz', status: response.status }])
})

test('an API request: method, url, headers, body, status and token', async () => {
  const { access_token: token } = await requestToken(provider, 'catalog.client')
  const init = { method: 'PUT', body: 'ü', headers: { 'x-trace': '1' } }
  await bearer(`${provider.catalog.baseURL}echo?a=1`, token, init)
  const { jti } = decodeJwt(token)
  expect(provider.catalog.requests).toMatchObject([
    { method: 'PUT', url: '/catalog/echo?a=1', status: 200, tokenId: jti },
  ])
  const [recorded] = provider.catalog.requests
  expect(recorded?.headers).toMatchObject({ 'x-trace': '1', authorization: `Bearer ${token}` })
  expect(recorded?.body.toString()).toBe('ü')
})

test('every request for the metadata counts, also one that fails', async () => {
  provider.discoveryFaults.fail(1, { status: 503 })
  for (const name of ['openid-configuration', 'oauth-authorization-server']) {
    await fetch(`${provider.issuer}/.well-known/${name}`)
  }
  expect(provider.discoveryRequests).toBe(2)
})
