import { createFetch } from '@tokenward/fetch'
import { expect, expectTypeOf, test } from 'vitest'
import { catalogSetup } from './support'

test('a token is attached and cached, without token code in the caller', async () => {
  const { catalog, provider, api } = await catalogSetup()
  for (let call = 0; call < 3; call++) {
    const response = await catalog('list')
    expect(response.status).toBe(200)
    expect(await response.json()).toHaveLength(3)
  }
  expect(provider.tokenRequests).toHaveLength(1)
  expect(api.requests[0]?.headers.authorization).toMatch(/^Bearer ey/)
})

test('its type is assignable to that of the platform fetch', async () => {
  const { catalog } = await catalogSetup()
  expectTypeOf(catalog).toExtend<typeof fetch>()
})

test('a relative string is joined to the base URL as in ofetch and axios', async () => {
  const { tokens, api } = await catalogSetup()
  for (const baseURL of [api.baseURL, api.baseURL.replace(/\/$/, ''), new URL(api.baseURL)]) {
    const catalog = createFetch(tokens, 'catalog.client', { baseURL })
    for (const input of ['test', '/test', 'test?a=1']) expect((await catalog(input)).status).toBe(200)
  }
  expect(new Set(api.requests.map(({ url }) => url))).toEqual(new Set(['/catalog/test', '/catalog/test?a=1']))
})

test('an absolute string, a URL and a Request are sent to their own URL', async () => {
  const { catalog, api } = await catalogSetup()
  const url = `${api.baseURL}test`
  for (const input of [url, new URL(url), new Request(url)]) expect((await catalog(input)).status).toBe(200)
})

test('method, headers and body are sent, from init and from a Request', async () => {
  const { catalog, api } = await catalogSetup()
  const init = { method: 'POST', headers: { 'x-trace': '1', 'content-type': 'application/json' }, body: '{"a":1}' }
  const viaInit = await catalog('echo', init)
  const viaRequest = await catalog(new Request(`${api.baseURL}echo`, init))
  const overridden = await catalog(new Request(`${api.baseURL}echo`, init), { method: 'PUT', body: '{"b":2}' })
  const echo = { contentType: 'application/json', text: '{"a":1}' }
  expect(await viaInit.json()).toMatchObject({ method: 'POST', ...echo })
  expect(await viaRequest.json()).toMatchObject({ method: 'POST', ...echo })
  expect(await overridden.json()).toMatchObject({ method: 'PUT', text: '{"b":2}' })
  expect(api.requests.map(({ headers }) => headers['x-trace'])).toEqual(['1', '1', '1'])
})

test("the caller's options and headers are not changed", async () => {
  const { catalog } = await catalogSetup()
  const headers = new Headers({ 'x-trace': '1' })
  const init = Object.freeze({
    method: 'POST',
    headers,
    body: 'x',
    tokenParameters: Object.freeze({ scope: 'catalog' }),
  })
  await catalog('echo', init)
  expect([...headers]).toEqual([['x-trace', '1']])
})

test('tokenParameters can be set on the client, on a call, or by a function of the request', async () => {
  const { tokens, provider, api, catalog } = await catalogSetup()
  await catalog('test', { tokenParameters: { scope: 'catalog.read' } })
  const computed = createFetch(tokens, 'catalog.client', {
    baseURL: api.baseURL,
    tokenParameters: ({ method, url, headers }) => ({
      parameters: { for: `${method} ${url.pathname} ${headers.get('x-tenant')}` },
    }),
  })
  await computed('echo', { method: 'post', headers: { 'x-tenant': 't1' } })
  await computed('echo', { method: 'post', headers: { 'x-tenant': 't1' }, tokenParameters: {} })
  expect(provider.tokenRequests.map(({ parameters }) => [parameters.scope, parameters.for])).toEqual([
    ['catalog.read', undefined],
    ['catalog inventory', 'POST /catalog/echo t1'],
    ['catalog inventory', undefined],
  ])
})

test('responses reach the caller unchanged: statuses without a body, an error, a stream', async () => {
  const { catalog } = await catalogSetup()
  expect((await catalog('status/204')).status).toBe(204)
  expect((await catalog('status/304')).status).toBe(304)
  expect((await catalog('status/500')).status).toBe(500)
  expect((await catalog('test', { method: 'HEAD' })).status).toBe(200)
  expect(await (await catalog('stream')).text()).toBe('line 1\nline 2\nline 3\nline 4\nline 5\n')
})

test('the fetch option replaces the transport', async () => {
  const { tokens, api } = await catalogSetup()
  const seen: string[] = []
  const catalog = createFetch(tokens, 'catalog.client', {
    baseURL: api.baseURL,
    fetch: (input, init) => {
      seen.push(String(input))
      return fetch(input, init)
    },
  })
  expect((await catalog('test')).status).toBe(200)
  expect(seen).toEqual([`${api.baseURL}test`])
})

test('a call fails with the OAuth code when no token can be obtained, and the API receives no request', async () => {
  const { catalog, provider, api } = await catalogSetup()
  await expect(catalog('list', { tokenParameters: { scope: 'invoice' } })).rejects.toMatchObject({
    code: 'token_request_failed',
    error: 'invalid_scope',
    status: 400,
  })
  expect(provider.tokenRequests).toHaveLength(1)
  expect(api.requests).toHaveLength(0)
})

test('an abort rejects with its reason: before the call, during the token request, and during the API request', async () => {
  const { catalog, provider, api } = await catalogSetup()
  await expect(catalog('test', { signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow('before')
  expect(provider.tokenRequests).toHaveLength(0)

  provider.tokenEndpointFaults.fail(1, 'hang')
  const duringToken = new AbortController()
  const waiting = expect(catalog('test', { signal: duringToken.signal })).rejects.toThrow('during the token request')
  await expect.poll(() => provider.tokenRequests.length).toBe(1)
  duringToken.abort(new Error('during the token request'))
  await waiting
  expect(api.requests).toHaveLength(0)

  await catalog('test', { tokenParameters: { scope: 'catalog' } })
  api.faults.fail(1, 'hang')
  const duringCall = new AbortController()
  const request = new Request(`${api.baseURL}test`, { signal: duringCall.signal })
  const called = expect(catalog(request, { tokenParameters: { scope: 'catalog' } })).rejects.toThrow(
    'during the API request',
  )
  await expect.poll(() => api.requests.length).toBe(2)
  duringCall.abort(new Error('during the API request'))
  await called
})
