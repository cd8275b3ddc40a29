import { attachTokens, createAxios } from '@tokenward/axios'
import axios, { type AxiosAdapter, type InternalAxiosRequestConfig } from 'axios'
import { describe, expect, test } from 'vitest'
import { catalogSetup } from './support'

const http: AxiosAdapter = (config) => axios.getAdapter('http')(config)

/** An instance whose interceptor sets an adapter, and with tokens. The order of the two is `when`. */
async function instanceWithAdapter(when: 'before' | 'after', config: object) {
  const setup = await catalogSetup()
  const { tokens, api } = setup
  const instance = axios.create({ baseURL: api.baseURL, ...config })
  const used: InternalAxiosRequestConfig[] = []
  const setAdapter = () =>
    instance.interceptors.request.use((request) => {
      const adapter: AxiosAdapter = (sent) => {
        used.push(sent)
        return http(sent)
      }
      return { ...request, adapter }
    })
  if (when === 'before') setAdapter()
  const detach = attachTokens(instance, tokens, 'catalog.client')
  if (when === 'after') setAdapter()
  return { ...setup, instance, detach, used }
}

// axios runs request interceptors in the reverse order unless it is told otherwise.
describe.each([true, false])('with legacyInterceptorReqResOrdering %s', (legacyInterceptorReqResOrdering) => {
  test.each(['before', 'after'] as const)(
    'an adapter set by an interceptor added %s attachTokens is used',
    async (when) => {
      const { instance, detach, used, api } = await instanceWithAdapter(when, {
        transitional: { legacyInterceptorReqResOrdering },
        validateStatus: null,
      })
      expect((await instance('test')).status).toBe(200)
      detach()
      expect((await instance('test')).status).toBe(401)
      expect(used).toHaveLength(2)
      expect(api.requests.map(({ status }) => status)).toEqual([200, 401])
    },
  )
})

test('an adapter that transformRequest sets sends the request with a token, once, and again after a 401', async () => {
  const { tokens, provider, api } = await catalogSetup()
  const instance = axios.create({ baseURL: api.baseURL, validateStatus: null })
  attachTokens(instance, tokens, 'catalog.client')
  let calls = 0
  const transformRequest = function set(this: InternalAxiosRequestConfig, data: unknown) {
    const inner = axios.getAdapter(this.adapter)
    const adapter = calls === 0 ? http : inner
    this.adapter = (config) => {
      calls++
      return adapter(config)
    }
    return data
  }
  const first = await instance.post(
    'test',
    { a: 1 },
    { transformRequest: [transformRequest, (data) => JSON.stringify(data)] },
  )
  expect(first.status).toBe(200)
  provider.revokeIssued()
  const second = await instance('test', { transformRequest })
  expect(second.status).toBe(200)
  expect(calls).toBe(3)
  // The config of a response can be sent again.
  expect((await instance(second.config)).status).toBe(200)
  expect(api.requests.map(({ status }) => status)).toEqual([200, 401, 200, 200])
  expect([second.config.transformRequest].flat().length).toBe(1)
})

test('an interceptor that throws, and whose error another handler recovers from, loses no token', async () => {
  const { tokens, api } = await catalogSetup()
  const instance = axios.create({ baseURL: api.baseURL })
  const fail = () => {
    throw new Error('no config today')
  }
  instance.interceptors.request.use(fail, () => undefined as never, { synchronous: true })
  attachTokens(instance, tokens, 'catalog.client')
  expect((await instance('test')).status).toBe(200)
})

test('an interceptor that wraps the adapter of its config is called once for each request that is sent', async () => {
  const { tokens, provider, api } = await catalogSetup()
  const instance = axios.create({ baseURL: api.baseURL, validateStatus: null })
  let calls = 0
  const wrap = () =>
    instance.interceptors.request.use((config) => {
      const inner = axios.getAdapter(config.adapter)
      config.adapter = (sent) => {
        calls++
        return inner(sent)
      }
      return config
    })
  wrap()
  attachTokens(instance, tokens, 'catalog.client')
  wrap()
  const { config } = await instance('test')
  expect([api.requests.length, calls]).toEqual([1, 2])
  provider.revokeIssued()
  api.faults.fail(2, { status: 401 })
  expect((await instance('test')).status).toBe(401)
  expect([api.requests.length, calls]).toEqual([3, 6])
  expect((await instance.request({ ...config, tokenParameters: { scope: 'catalog' } })).status).toBe(200)
})

test('interceptors that are cleared take no token away', async () => {
  const { catalog } = await catalogSetup()
  catalog.interceptors.request.clear()
  expect((await catalog('test')).status).toBe(200)
})

test('of two clients attached to one instance the later one counts, until it is detached', async () => {
  const { tokens, provider, api } = await catalogSetup()
  const instance = axios.create({ baseURL: api.baseURL })
  attachTokens(instance, tokens, 'catalog.client', { tokenParameters: { scope: 'catalog' } })
  const detach = attachTokens(instance, tokens, 'catalog.client', { tokenParameters: { scope: 'catalog.read' } })
  await instance('test')
  detach()
  await instance('test')
  expect(provider.tokenRequests.map(({ parameters }) => parameters.scope)).toEqual(['catalog.read', 'catalog'])
})

test("an adapter of the user gets the parts of the URL as they were at the call, as axios's own mocks expect", async () => {
  const { tokens, api } = await catalogSetup()
  const seen: unknown[] = []
  const adapter: AxiosAdapter = (config) => {
    seen.push([config.url, config.baseURL, config.params])
    return http(config)
  }
  const catalog = createAxios(tokens, 'catalog.client', { baseURL: api.baseURL, adapter })
  const params = new URLSearchParams({ page: '1' })
  const call = catalog('test', { params })
  await Promise.resolve()
  params.set('page', '2')
  await call
  expect(seen).toEqual([['test', api.baseURL, new URLSearchParams({ page: '1' })]])
  expect(api.requests[0]?.url).toBe('/catalog/test?page=1')
})

test('each call is sent by the adapter that it names, whatever the calls around it name', async () => {
  const { tokens, api } = await catalogSetup()
  const catalog = createAxios(tokens, 'catalog.client', { baseURL: api.baseURL })
  const own: AxiosAdapter = async (config) => ({ ...(await http(config)), statusText: 'by the caller' })
  const several = ['http', 'fetch']
  const used = async (adapter: InternalAxiosRequestConfig['adapter']) => {
    const { request, statusText } = await catalog.get('test', adapter && { adapter })
    return statusText === 'by the caller' ? 'own' : request instanceof Request ? 'fetch' : 'http'
  }
  const names = []
  for (const adapter of [undefined, 'fetch', own, 'fetch', several, undefined]) names.push(await used(adapter))
  several.reverse()
  names.push(await used(several))
  expect(names).toEqual(['http', 'fetch', 'own', 'fetch', 'http', 'http', 'fetch'])
  expect(new Set(api.requests.map(({ status }) => status))).toEqual(new Set([200]))
})

test('tokens are attached to axios instances only', async () => {
  const { tokens } = await catalogSetup()
  for (const instance of [{}, undefined, axios.interceptors]) {
    expect(() => attachTokens(instance as never, tokens, 'catalog.client', { baseURL: 'https://a.example' })).toThrow(
      /client 'catalog.client', instance: must be an axios instance/,
    )
  }
  expect(() => createAxios(tokens, 'catalog.client', undefined as never)).toThrow(/baseURL: missing/)
})
