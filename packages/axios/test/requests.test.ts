import { attachTokens, createAxios } from '@tokenward/axios'
import axios, { type AxiosInstance } from 'axios'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { ADAPTERS, catalogSetup } from './support'

describe.each(ADAPTERS)('by the %s adapter', (adapter) => {
  test('a token is attached and cached, without token code in the caller', async () => {
    const { catalog, provider, api } = await catalogSetup({ adapter })
    for (let call = 0; call < 3; call++) {
      const { status, data } = await catalog.get<{ id: number }[]>('list')
      expectTypeOf(data).toEqualTypeOf<{ id: number }[]>()
      expect([status, data.length]).toEqual([200, 3])
    }
    expect(provider.tokenRequests).toHaveLength(1)
    expect(api.requests[0]?.headers.authorization).toMatch(/^Bearer ey/)
  })

  test('50 concurrent calls make one token request', async () => {
    const { catalog, provider } = await catalogSetup({ adapter })
    await Promise.all(Array.from({ length: 50 }, () => catalog('list')))
    expect(provider.tokenRequests).toHaveLength(1)
  })

  test('a path is joined to the base URL as in axios, and an absolute URL is used as it is', async () => {
    const { tokens, api } = await catalogSetup()
    for (const baseURL of [api.baseURL, api.baseURL.replace(/\/$/, ''), new URL(api.baseURL)]) {
      const catalog = createAxios(tokens, 'catalog.client', { baseURL, adapter })
      for (const url of ['test', '/test', `${api.baseURL}test`]) await catalog.get(url, { params: { a: 1 } })
    }
    expect(new Set(api.requests.map(({ url }) => url))).toEqual(new Set(['/catalog/test?a=1']))
  })

  test('responses reach the caller unchanged: statuses without a body, an error, a stream', async () => {
    const { catalog } = await catalogSetup({ adapter, validateStatus: null })
    expect((await catalog('status/204')).status).toBe(204)
    expect((await catalog('status/304')).status).toBe(304)
    expect((await catalog('status/500')).data).toEqual({ status: 500 })
    expect((await catalog.head('test')).status).toBe(200)
    const { data } = await catalog('stream', { responseType: 'stream' })
    let text = ''
    for await (const chunk of data) text += Buffer.from(chunk).toString()
    expect(text).toBe('line 1\nline 2\nline 3\nline 4\nline 5\n')
  })

  test("headers of the instance and of the call are sent; an Authorization header and axios's auth option are replaced", async () => {
    const { catalog, api } = await catalogSetup({ adapter, headers: { 'x-app': 'worker' } })
    const auth = { username: 'user', password: 'password' }
    await catalog('test', { headers: { 'x-trace': '1', authorization: 'Basic eA==' } })
    await catalog('test', { headers: { Authorization: false }, auth })
    const { host } = new URL(api.baseURL)
    await catalog(`http://user:password@${host}/catalog/test`, { params: { a: 1 } })
    for (const { headers, status } of api.requests) {
      expect([status, headers.authorization]).toEqual([200, expect.stringMatching(/^Bearer ey/)])
    }
    expect(api.requests[0]?.headers).toMatchObject({ 'x-app': 'worker', 'x-trace': '1' })
    expect(api.requests[2]?.url).toBe('/catalog/test?a=1')
  })

  test('upload and download progress is reported', async () => {
    const { catalog } = await catalogSetup({ adapter })
    const seen = { sent: 0, received: 0 }
    await catalog.post('echo', 'x'.repeat(1_000), {
      onUploadProgress: ({ loaded }) => void Object.assign(seen, { sent: loaded }),
      onDownloadProgress: ({ loaded }) => void Object.assign(seen, { received: loaded }),
    })
    expect(seen.sent).toBe(1_000)
    expect(seen.received).toBeGreaterThan(1_000)
  })

  test('a call can be cancelled as in axios: before it, during the token request, and during the API request', async () => {
    const { catalog, provider, api } = await catalogSetup({ adapter })
    for (const how of ['signal', 'cancelToken'] as const) {
      provider.reset()
      const before = canceller(how)
      before.cancel()
      expect(await failure(catalog('test', before.config))).toSatisfy(axios.isCancel)
      expect(provider.tokenRequests).toHaveLength(0)

      provider.tokenEndpointFaults.fail(1, 'hang')
      const duringToken = canceller(how)
      // A token of its own each time, because a hanging token request continues after the cancellation.
      const waiting = failure(catalog('test', { ...duringToken.config, tokenParameters: { parameters: { how } } }))
      await expect.poll(() => provider.tokenRequests.length).toBe(1)
      duringToken.cancel()
      expect(await waiting).toSatisfy(axios.isCancel)
      expect(api.requests).toHaveLength(0)

      api.faults.fail(1, 'hang')
      const duringCall = canceller(how)
      const called = failure(catalog('test', { ...duringCall.config, tokenParameters: { scope: 'catalog' } }))
      await expect.poll(() => api.requests.length).toBe(1)
      duringCall.cancel()
      expect(await called).toSatisfy(axios.isCancel)
    }
  })
})

test("the caller's config is not changed", async () => {
  const { catalog } = await catalogSetup()
  const headers = Object.freeze({ 'x-trace': '1' })
  const tokenParameters = Object.freeze({ scope: 'catalog' })
  const config = Object.freeze({ url: 'echo', method: 'post', headers, data: Object.freeze({ a: 1 }), tokenParameters })
  const { data } = await catalog(config)
  expect(data.text).toBe('{"a":1}')
})

test('tokenParameters can be set on the client, on a call, or by a function of the request', async () => {
  const { tokens, provider, api, catalog } = await catalogSetup({ tokenParameters: { scope: 'catalog' } })
  await catalog('test')
  await catalog('test', { tokenParameters: { scope: 'catalog.read' } })
  const computed = createAxios(tokens, 'catalog.client', {
    baseURL: api.baseURL,
    headers: { 'x-tenant': 't1' },
    tokenParameters: ({ method, url, headers }) => ({
      parameters: { for: `${method} ${url.pathname}${url.search} ${headers.get('x-tenant')}` },
    }),
  })
  await computed.post('echo', {}, { params: { a: 1 } })
  await computed('echo', { tokenParameters: {} })
  // @ts-expect-error the parameter does not exist
  await expect(catalog('test', { tokenParameters: { scoop: 'catalog' } })).rejects.toThrow('did you mean scope?')
  expect(provider.tokenRequests.map(({ parameters }) => [parameters.scope, parameters.for])).toEqual([
    ['catalog', undefined],
    ['catalog.read', undefined],
    ['catalog inventory', 'POST /catalog/echo?a=1 t1'],
    ['catalog inventory', undefined],
  ])
})

test('attachTokens uses the base URL of the instance, and detach restores the instance', async () => {
  const { tokens, api } = await catalogSetup()
  const instance = axios.create({ baseURL: api.baseURL, validateStatus: null })
  const { adapter } = instance.defaults
  const detach = attachTokens(instance, tokens, 'catalog.client')
  const { status, config } = await instance('test')
  expect(status).toBe(200)
  detach()
  expect((await instance('test')).status).toBe(401)
  expect((await instance.request(config)).status).toBe(401)
  expect(api.requests[1]?.headers.authorization).toBeUndefined()
  expect(instance.defaults).toMatchObject({ adapter, baseURL: api.baseURL })
  detach()
})

test('attachTokens can be given a base URL', async () => {
  const { tokens, api } = await catalogSetup()
  const instance: AxiosInstance = axios.create()
  attachTokens(instance, tokens, 'catalog.client', { baseURL: new URL(api.baseURL), retryOn401: false })
  expect((await instance('test')).status).toBe(200)
})

test('an unknown client does not compile, and a client without a base URL and allowed origins throws', async () => {
  const { tokens } = await catalogSetup()
  expect(() => createAxios(tokens, 'catalog.client', {})).toThrow(/client 'catalog.client', baseURL: missing/)
  expect(() => attachTokens(axios.create(), tokens, 'catalog.client')).toThrow(/baseURL: missing/)
  // @ts-expect-error the client does not exist
  createAxios(tokens, 'other.client', { baseURL: 'https://api.example' })
})

function canceller(how: 'signal' | 'cancelToken') {
  if (how === 'signal') {
    const controller = new AbortController()
    return { config: { signal: controller.signal }, cancel: () => controller.abort() }
  }
  const { token, cancel } = axios.CancelToken.source()
  return { config: { cancelToken: token }, cancel: () => cancel() }
}

function failure(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => expect.unreachable('the call succeeded'),
    (error) => error,
  )
}
