import { createHash } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { type ClientDefinition, createTokenManager, type NonceRetried } from '@tokenward/core'
import { createFetch } from '@tokenward/fetch'
import { dpopTokens } from '@tokenward/test-support'
import express from 'express'
import { auth } from 'express-oauth2-jwt-bearer'
import { calculateJwkThumbprint, decodeJwt, decodeProtectedHeader, exportJWK, generateKeyPair, type JWK } from 'jose'
import { expect, onTestFinished, test } from 'vitest'

async function dpopSetup(dpop?: ClientDefinition['dpop']) {
  const { provider, api, start: startTokens } = await dpopTokens()
  const start = (key = dpop) => {
    const tokens = startTokens(key)
    return { tokens, catalog: createFetch(tokens, 'c', { baseURL: api.baseURL, allowedOrigins: [provider.issuer] }) }
  }
  return { provider, api, start, ...start() }
}

test.each(['ES256', 'ES384', 'ES512', 'Ed25519', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'])(
  '%s: the API accepts token and proof, with a key pair and with a private JWK',
  async (alg) => {
    const keyPair = await generateKeyPair(alg, { extractable: true })
    const jwk: JWK = await exportJWK(keyPair.privateKey)
    const { api, start } = await dpopSetup()
    for (const dpop of [{ key: keyPair }, { key: jwk, alg }, { key: { ...jwk, alg } }]) {
      const { tokens, catalog } = start(dpop)
      expect((await tokens.getAccessToken('c')).type).toBe('DPoP')
      expect((await catalog('list')).status).toBe(200)
    }
    const { authorization, dpop: proof } = api.requests[0]?.headers ?? {}
    expect(authorization).toMatch(/^DPoP /)
    const { typ, alg: used, jwk: publicJwk } = decodeProtectedHeader(String(proof))
    expect([typ, used]).toEqual(['dpop+jwt', alg])
    expect(publicJwk).not.toHaveProperty('d')
  },
)

test('each request has its own proof: htm, htu without query and fragment, ath, and additional claims', async () => {
  const { catalog, api } = await dpopSetup()
  const response = await catalog('echo?a=1#part', { method: 'post', body: 'x', proofClaims: { purpose: 'audit' } })
  expect(response.status).toBe(200)
  const { authorization = '', dpop } = api.requests[0]?.headers ?? {}
  const { jti, iat, ...claims } = decodeJwt(String(dpop))
  expect(claims).toEqual({
    htm: 'POST',
    htu: `${api.baseURL}echo`,
    ath: createHash('sha256').update(authorization.slice('DPoP '.length)).digest('base64url'),
    purpose: 'audit',
  })
  await catalog('test')
  expect(decodeJwt(String(api.requests[1]?.headers.dpop)).jti).not.toBe(jti)
})

test('after a nonce challenge of the API the request is sent once more, with the same token', async () => {
  const { catalog, tokens, provider, api } = await dpopSetup()
  const retries: NonceRetried[] = []
  tokens.on('nonceRetried', (retry) => retries.push(retry))
  api.noncePolicy = 'required'
  for (let call = 0; call < 3; call++) expect((await catalog('test')).status).toBe(200)
  expect(api.requests.map(({ status }) => status)).toEqual([401, 200, 200, 200])
  expect(provider.tokenRequests).toHaveLength(1)
  expect(retries).toEqual([{ client: 'c', at: 'api' }])
})

test('a nonce that the token endpoint requires costs one more request, and is remembered', async () => {
  const { catalog, tokens, provider } = await dpopSetup()
  const retries: NonceRetried[] = []
  tokens.on('nonceRetried', (retry) => retries.push(retry))
  provider.requiresNonce = true
  expect((await catalog('test')).status).toBe(200)
  await tokens.getAccessToken('c', { forceRenewal: true })
  expect(provider.tokenRequests.map(({ status }) => status)).toEqual([400, 200, 200])
  expect(retries).toEqual([{ client: 'c', at: 'token_endpoint' }])
})

test('50 concurrent calls succeed with one token when both servers send a new nonce with every response', async () => {
  const { catalog, provider, api } = await dpopSetup()
  provider.requiresNonce = true
  api.noncePolicy = 'rotated'
  expect((await catalog('test')).status).toBe(200)
  const challenged = () => api.requests.filter(({ status }) => status === 401).length
  expect(challenged()).toBe(1)
  for (let round = 0; round < 3; round++) {
    const responses = await Promise.all(Array.from({ length: 50 }, () => catalog('test')))
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([200]))
  }
  expect(challenged()).toBe(1)
  expect(provider.tokenRequests.map(({ status }) => status)).toEqual([400, 200])
})

test('a 401 with invalid_token renews the token, also after a nonce challenge', async () => {
  const { catalog, provider, api } = await dpopSetup()
  await catalog('test')
  provider.revokeIssued()
  api.noncePolicy = 'required'
  expect((await catalog('test')).status).toBe(200)
  expect(api.requests.map(({ status }) => status)).toEqual([200, 401, 401, 200])
  expect(provider.tokenRequests).toHaveLength(2)
})

test('a stream is not sent again after a nonce challenge, and the next call has the nonce', async () => {
  const { catalog, api } = await dpopSetup()
  api.noncePolicy = 'required'
  const init = { method: 'POST', body: new Blob(['x']).stream(), duplex: 'half' } as RequestInit
  expect((await catalog('echo', init)).status).toBe(401)
  expect((await catalog('test')).status).toBe(200)
})

test('a redirect within the origin has a new proof; a redirect to another origin carries no credentials', async () => {
  const { catalog, provider, api } = await dpopSetup()
  expect((await catalog('redirect?to=test')).status).toBe(200)
  expect(decodeJwt(String(api.requests[1]?.headers.dpop)).htu).toBe(`${api.baseURL}test`)
  const to = encodeURIComponent(`${provider.invoice.baseURL}test`)
  expect((await catalog(`redirect?to=${to}`)).status).toBe(401)
  const [redirected] = provider.invoice.requests
  expect(redirected?.headers.authorization).toBeUndefined()
  expect(redirected?.headers.dpop).toBeUndefined()
  expect(provider.tokenRequests).toHaveLength(1)
})

test.each([
  [301, 'GET', ''],
  [302, 'GET', ''],
  [303, 'GET', ''],
  [307, 'POST', 'body'],
  [308, 'POST', 'body'],
])('a POST that is redirected with %d is sent as %s, by init and by Request', async (status, method, body) => {
  const { catalog, api } = await dpopSetup()
  const url = `${api.baseURL}redirect?to=echo&status=${status}`
  const init = { method: 'POST', body: 'body', headers: { 'content-type': 'text/plain' } }
  for (const response of [await catalog(url, init), await catalog(new Request(url, init))]) {
    expect(await response.json()).toMatchObject({ method, text: body })
  }
})

test("redirect: 'manual' and redirect: 'error' work as in the platform's fetch", async () => {
  const { catalog } = await dpopSetup()
  expect((await catalog('redirect?to=test', { redirect: 'manual' })).status).toBe(302)
  await expect(catalog('redirect?to=test', { redirect: 'error' })).rejects.toThrow()
})

test('the API refuses a stolen token: as Bearer, without a proof, and with the proof of another request', async () => {
  const { catalog, tokens, api } = await dpopSetup()
  await catalog('test')
  const { value } = await tokens.getAccessToken('c')
  const proof = String(api.requests[0]?.headers.dpop)
  const attempts = [
    { authorization: `Bearer ${value}` },
    { authorization: `DPoP ${value}` },
    { authorization: `DPoP ${value}`, dpop: proof },
  ]
  for (const headers of attempts) expect((await fetch(`${api.baseURL}test`, { headers })).status).toBe(401)
})

test('managers with the same key share a token through the store, and another key gets its own', async () => {
  const key = await exportJWK((await generateKeyPair('ES256', { extractable: true })).privateKey)
  const { provider } = await dpopSetup()
  const { clientId, clientSecret } = provider.client('dpop.client')
  const entries = new Map<string, string>()
  const store = {
    get: (id: string) => entries.get(id),
    set: (id: string, value: string) => void entries.set(id, value),
    delete: (id: string) => void entries.delete(id),
  }
  const token = (dpop: ClientDefinition['dpop']) =>
    createTokenManager({
      clients: { c: { tokenEndpoint: provider.tokenEndpoint, clientId, clientSecret, scope: 'catalog', dpop } },
      store,
    }).getAccessToken('c')
  const first = await token({ key })
  expect((await token({ key })).value).toBe(first.value)
  expect((await token(true)).value).not.toBe(first.value)
  expect(decodeJwt(first.value).cnf).toEqual({ jkt: await calculateJwkThumbprint(key) })
  // The store must not hold the private key.
  expect([...entries.values()].join()).not.toContain(key.d)
})

test('a Bearer token for a DPoP client fails the call, and the API receives no request', async () => {
  const { catalog, provider, api } = await dpopSetup()
  const body = { access_token: 'bearer-token', token_type: 'Bearer', expires_in: 60 }
  provider.tokenEndpointFaults.fail(1, { status: 200, body })
  await expect(catalog('test')).rejects.toMatchObject({ error: 'invalid_response', retryable: false })
  expect(api.requests).toHaveLength(0)
})

test('a key that cannot sign fails the call, and no request is sent', async () => {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true })
  const jwk = await exportJWK(privateKey)
  const { start, provider, api } = await dpopSetup()
  const { catalog } = start({ key: { ...jwk, n: 'AQAB' }, alg: 'ES256' })
  await expect(catalog('test')).rejects.toMatchObject({ code: 'invalid_configuration', problems: [{ option: 'dpop' }] })
  expect([provider.tokenRequests.length, api.requests.length]).toEqual([0, 0])
})

test('an unusable key is refused when the manager is created', async () => {
  const { publicKey } = await generateKeyPair('ES256')
  const publicJwk = await exportJWK(publicKey)
  const definition = { tokenEndpoint: 'https://as.example/token', clientId: 'c', clientSecret: 's' }
  const make = (dpop: unknown) => () =>
    createTokenManager({ clients: { c: { ...definition, dpop: dpop as ClientDefinition['dpop'] } } })
  expect(make({ key: publicJwk })).toThrow(/dpop.key: is a public key/)
  expect(make({ key: { kty: 'oct', k: 'AAAA' } })).toThrow(/dpop.key: is symmetric/)
  expect(make({ key: { privateKey: publicKey, publicKey } })).toThrow(/dpop.key: has no private key/)
  expect(make({})).toThrow(/dpop.key: must be an object/)
  expect(make('yes')).toThrow(/dpop: must be an object/)
})

test('express-oauth2-jwt-bearer accepts token and proof, and refuses the token without the proof', async () => {
  const { tokens, provider } = await dpopSetup()
  const app = express()
  app.use(
    auth({
      issuer: provider.issuer,
      jwksUri: `${provider.issuer}/jwks`,
      audience: provider.catalog.audience,
      tokenSigningAlg: 'ES256',
      dpop: { enabled: true, required: true },
    }),
  )
  app.post('/orders', (_request, response) => void response.json({ ok: true }))
  const server = app.listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  const orders = createFetch(tokens, 'c', { baseURL: `http://127.0.0.1:${port}` })
  const response = await orders('orders?page=1', { method: 'POST' })
  expect(await response.json()).toEqual({ ok: true })
  const { value } = await tokens.getAccessToken('c')
  const stolen = await fetch(`http://127.0.0.1:${port}/orders`, {
    method: 'POST',
    headers: { authorization: `DPoP ${value}` },
  })
  expect(stolen.status).toBeGreaterThanOrEqual(400)
})
