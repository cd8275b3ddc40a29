import { attachTokens, createAxios } from '@tokenward/axios'
import axios, { type AxiosInstance } from 'axios'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { ADAPTERS, catalogSetup } from './support'

describe.each(ADAPTERS)('by the %s adapter', (adapter) => {
  test('a token is attached and cached, with no token code in the caller', async () => {
    const { catalog, provider, api } = await catalogSetup({ adapter })
    for (let call = 0; call < 3; call++) {
      const { status, data } = await catalog.get<{ id: number }[]>('list')
      expectTypeOf(data).toEqualTypeOf<{ id: number }[]>()
      expect([status, data.length]).toEqual([200, 3])
    }
    expect(provider.tokenRequests).toHaveLength(1)
    expect(api.requests[0]?.headers.authorization).toMatch(/^Bearer ey/)
  })

  test('50 calls at once make one token request', async () => {
    const { catalog, provider } = await catalogSetup({ adapter })
    await Promise.all(Array.from({ length: 50 }, () => catalog('list')))
    expect(provider.tokenRequests).toHaveLength(1)
  })

  test('a path is joined to the base URL as axios joins it; an absolute URL goes where it says', async () => {
    const { tokens, api } = await catalogSetup()
    for (const baseURL of [api.baseURL, api.baseURL.replace(/\/$/, ''), new URL(api.baseURL)]) {
      const catalog = createAxios(tokens, 'catalog.client', { baseURL, adapter })
      for (const url of ['test', '/test', `${api.baseURL}test`]) await catalog.get(url, { params: { a: 1 } })
    }
    expect(new Set(api.requests.map(({ url }) => url))).toEqual(new Set(['/catalog/test?a=1']))
  })

  test('the caller gets responses as they are: statuses without a body, an error, a stream', async () => {
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

  test("headers of the instance and of the call are sent, except another Authorization or axios's own auth", async () => {
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

  test('progress of upload and download is reported', async () => {
    const { catalog } = await catalogSetup({ adapter })
    const seen = { sent: 0, received: 0 }
    await catalog.post('echo', 'x'.repeat(1_000), {
      onUploadProgress: ({ loaded }) => void Object.assign(seen, { sent: loaded }),
      onDownloadProgress: ({ loaded }) => void Object.assign(seen, { received: loaded }),
    })
    expect(seen.sent).toBe(1_000)
    expect(seen.received).toBeGreaterThan(1_000)
  })

  test('a call is cancelled as in axios: before the call, during the token request, during the API request', async () => {
    const { catalog, provider, api } = await catalogSetup({ adapter })
    for (const how of ['signal', 'cancelToken'] as const) {
      provider.reset()
      const before = canceller(how)
      before.cancel()
      expect(await failure(catalog('test', before.config))).toSatisfy(axios.isCancel)
      expect(provider.tokenRequests).toHaveLength(0)

      provider.tokenEndpointFaults.fail(1, 'hang')
      const asking = canceller(how)
      // Each its own token: the request that hangs goes on for others.
      const waiting = failure(catalog('test', { ...asking.config, tokenParameters: { parameters: { how } } }))
      await expect.poll(() => provider.tokenRequests.length).toBe(1)
      asking.cancel()
      expect(await waiting).toSatisfy(axios.isCancel)
      expect(api.requests).toHaveLength(0)

      api.faults.fail(1, 'hang')
      const calling = canceller(how)
      const called = failure(catalog('test', { ...calling.config, tokenParameters: { scope: 'catalog' } }))
      await expect.poll(() => api.requests.length).toBe(1)
      calling.cancel()
      expect(await called).toSatisfy(axios.isCancel)
    }
  })
})

test("the caller's config is left as it was", async () => {
  const { catalog } = await catalogSetup()
  const headers = Object.freeze({ 'x-trace': '1' })
  const tokenParameters = Object.freeze({ scope: 'catalog' })
  const config = Object.freeze({ url: 'echo', method: 'post', headers, data: Object.freeze({ a: 1 }), tokenParameters })
  const { data } = await catalog(config)
  expect(data.text).toBe('{"a":1}')
})

test('tokenParameters are an option of the client or of a call, or a function of the request', async () => {
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
  // @ts-expect-error there is no such parameter
  await expect(catalog('test', { tokenParameters: { scoop: 'catalog' } })).rejects.toThrow('did you mean scope?')
  expect(provider.tokenRequests.map(({ parameters }) => [parameters.scope, parameters.for])).toEqual([
    ['catalog', undefined],
    ['catalog.read', undefined],
    ['catalog inventory', 'POST /catalog/echo?a=1 t1'],
    ['catalog inventory', undefined],
  ])
})

test('attachTokens uses the base URL of the instance; detach restores the instance', async () => {
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

test('attachTokens with a base URL of its own joins to it', async () => {
  const { tokens, api } = await catalogSetup()
  const instance: AxiosInstance = axios.create()
  attachTokens(instance, tokens, 'catalog.client', { baseURL: new URL(api.baseURL), retryOn401: false })
  expect((await instance('test')).status).toBe(200)
})

test('an unknown client does not compile; baseURL or allowedOrigins is required', async () => {
  const { tokens } = await catalogSetup()
  expect(() => createAxios(tokens, 'catalog.client', {})).toThrow(/client 'catalog.client', baseURL: missing/)
  expect(() => attachTokens(axios.create(), tokens, 'catalog.client')).toThrow(/baseURL: missing/)
  // @ts-expect-error there is no such client
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
    () => expect.unreachable('the call has succeeded'),
    (error) => error,
  )
}
