import { createOfetch } from '@tokenward/ofetch'
import type { $Fetch } from 'ofetch'
import { expect, expectTypeOf, test } from 'vitest'
import { catalogSetup } from './support'

interface Item {
  id: number
  name: string
}

test('a token is attached and cached, without token code in the caller', async () => {
  const { catalog, provider, api } = await catalogSetup()
  for (let call = 0; call < 3; call++) {
    const items = await catalog<Item[]>('list')
    expectTypeOf(items).toEqualTypeOf<Item[]>()
    expect(items).toHaveLength(3)
  }
  expect(provider.tokenRequests).toHaveLength(1)
  expect(api.requests[0]?.headers.authorization).toMatch(/^Bearer ey/)
})

test('50 concurrent calls make one token request', async () => {
  const { catalog, provider } = await catalogSetup()
  await Promise.all(Array.from({ length: 50 }, () => catalog('list')))
  expect(provider.tokenRequests).toHaveLength(1)
})

test('a typed client accepts it as a $Fetch', async () => {
  class CatalogClient {
    constructor(private readonly http: $Fetch) {}
    list() {
      return this.http<Item[]>('list', { tokenParameters: { scope: 'catalog' } })
    }
  }
  const { catalog } = await catalogSetup()
  expectTypeOf(catalog).toEqualTypeOf<$Fetch>()
  expect(await new CatalogClient(catalog).list()).toHaveLength(3)
})

test('a path is joined to the base URL as in ofetch, in a call, in raw and in native', async () => {
  const { tokens, api } = await catalogSetup()
  for (const baseURL of [api.baseURL, api.baseURL.replace(/\/$/, ''), new URL(api.baseURL)]) {
    const catalog = createOfetch(tokens, 'catalog.client', { baseURL })
    for (const path of ['test', '/test']) {
      await catalog(path, { query: { a: 1 } })
      expect((await catalog.raw(path)).status).toBe(200)
      expect((await catalog.native(path)).status).toBe(200)
    }
  }
  expect(new Set(api.requests.map(({ url }) => url))).toEqual(new Set(['/catalog/test', '/catalog/test?a=1']))
})

test('an absolute string and a Request are sent to their own URL', async () => {
  const { catalog, api } = await catalogSetup()
  const url = `${api.baseURL}test`
  for (const input of [url, new Request(url)]) expect(await catalog(input)).toEqual({ ok: true })
})

test("the caller's options and headers are not changed", async () => {
  const { catalog, tokens, api } = await catalogSetup()
  const headers = new Headers({ 'x-trace': '1' })
  const tokenParameters = Object.freeze({ scope: 'catalog' })
  const options = Object.freeze({ method: 'POST', headers, body: Object.freeze({ a: 1 }), tokenParameters })
  await catalog('echo', options)
  await createOfetch(tokens, 'catalog.client', Object.freeze({ ...options, baseURL: api.baseURL }))('echo')
  expect([...headers]).toEqual([['x-trace', '1']])
})

test('tokenParameters can be set on the client, on a call, or by a function of the request', async () => {
  const { tokens, provider, api, catalog } = await catalogSetup({ tokenParameters: { scope: 'catalog' } })
  await catalog('test')
  await catalog('test', { tokenParameters: { scope: 'catalog.read' } })
  await catalog.create({ tokenParameters: { scope: 'catalog.read catalog' } })('test')
  const computed = createOfetch(tokens, 'catalog.client', {
    baseURL: api.baseURL,
    headers: { 'x-tenant': 't1' },
    tokenParameters: ({ method, url, headers }) => ({
      parameters: { for: `${method} ${url.pathname}${url.search} ${headers.get('x-tenant')}` },
    }),
  })
  await computed('echo', { method: 'post', query: { a: 1 } })
  await computed('echo', { tokenParameters: {} })
  // @ts-expect-error the parameter does not exist
  await expect(catalog('test', { tokenParameters: { scoop: 'catalog' } })).rejects.toThrow('did you mean scope?')
  expect(provider.tokenRequests.map(({ parameters }) => [parameters.scope, parameters.for])).toEqual([
    ['catalog', undefined],
    ['catalog.read', undefined],
    ['catalog.read catalog', undefined],
    ['catalog inventory', 'POST /catalog/echo?a=1 t1'],
    ['catalog inventory', undefined],
  ])
})

test('an abort rejects as in ofetch: before the call, during the token request, and during the API request', async () => {
  const { catalog, provider, api } = await catalogSetup()
  const before = catalog('test', { signal: AbortSignal.abort() })
  await expect(before).rejects.toMatchObject({ name: 'FetchError', cause: { name: 'AbortError' } })
  expect(provider.tokenRequests).toHaveLength(0)

  provider.tokenEndpointFaults.fail(1, 'hang')
  const duringToken = new AbortController()
  const waiting = expect(catalog('test', { signal: duringToken.signal })).rejects.toMatchObject({
    cause: { name: 'AbortError' },
  })
  await expect.poll(() => provider.tokenRequests.length).toBe(1)
  duringToken.abort()
  await waiting
  expect(api.requests).toHaveLength(0)

  const duringCall = new AbortController()
  const options = { signal: duringCall.signal, tokenParameters: { scope: 'catalog' } }
  await catalog('test', options)
  api.faults.fail(1, 'hang')
  const called = expect(catalog('test', options)).rejects.toMatchObject({ cause: { name: 'AbortError' } })
  await expect.poll(() => api.requests.length).toBe(2)
  duringCall.abort()
  await called
})

test('the timeout of ofetch includes the token request', async () => {
  const { catalog, provider, api } = await catalogSetup()
  provider.tokenEndpointFaults.fail(1, 'hang')
  const call = catalog('test', { timeout: 20, retry: false })
  await expect(call).rejects.toMatchObject({ name: 'FetchError', cause: { name: 'TimeoutError' } })
  expect(api.requests).toHaveLength(0)
})
