import { attachTokens, createAxios } from '@tokenward/axios'
import axios, { type AxiosInstance } from 'axios'
import axiosRetry from 'axios-retry'
import { describe, expect, test } from 'vitest'
import { ADAPTERS, catalogSetup } from './support'

describe.each(ADAPTERS)('by the %s adapter', (adapter) => {
  test.each(['before', 'after'])(
    'attachTokens works in an application with interceptors and axios-retry, called %s them',
    async (when) => {
      const { tokens, provider, api } = await catalogSetup()
      const http = axios.create({ baseURL: api.baseURL, adapter, headers: { 'x-app': 'worker' } })
      if (when === 'before') attachTokens(http, tokens, 'catalog.client')
      const log = intercept(http)
      axiosRetry(http, { retries: 2 })
      if (when === 'after') attachTokens(http, tokens, 'catalog.client')

      api.faults.fail(1, { status: 503 })
      api.faults.fail(1, 'reset')
      const { data } = await http.put('echo', { a: 1 })
      expect(data).toMatchObject({ method: 'PUT', text: '{"a":1}' })
      expect(log).toEqual(['request', 'error 503', 'request', 'error undefined', 'request', 'response 200'])
      expect(api.requests.map(({ headers }) => headers.authorization?.slice(0, 9))).toEqual(Array(3).fill('Bearer ey'))
      expect(api.requests.at(-1)?.headers).toMatchObject({ 'x-app': 'worker', 'x-trace': 't' })
      expect(provider.tokenRequests).toHaveLength(1)

      // The interceptors of the application do not see the renewal.
      log.length = 0
      provider.revokeIssued()
      expect((await http.get('list')).status).toBe(200)
      expect(log).toEqual(['request', 'response 200'])
    },
  )

  test('the config of an error can be sent again, by the instance and by axios itself', async () => {
    const { catalog, api } = await catalogSetup({ adapter })
    api.faults.fail(1, { status: 500 })
    const { config } = await catalog.post('echo', { a: 1 }).catch((error) => error)
    expect((await catalog.request(config)).data).toMatchObject({ text: '{"a":1}' })
    expect((await catalog.request(config)).data).toMatchObject({ text: '{"a":1}' })
    expect((await axios.request(config)).data).toMatchObject({ text: '{"a":1}' })
    expect(api.requests.map(({ status }) => status)).toEqual([500, 200, 200, 200])
  })

  test('transformRequest and transformResponse run once each, also after a 401', async () => {
    const { catalog, provider, api } = await catalogSetup({ adapter })
    await catalog('test')
    provider.revokeIssued()
    const seen: string[] = []
    const { data } = await catalog.post(
      'echo',
      { a: 1 },
      {
        transformRequest: (body) => {
          seen.push('request')
          return JSON.stringify({ wrapped: body })
        },
        transformResponse: (text) => {
          seen.push('response')
          return JSON.parse(text).text
        },
      },
    )
    expect(data).toBe('{"wrapped":{"a":1}}')
    expect(seen).toEqual(['request', 'response'])
    expect(api.requests.map(({ status }) => status)).toEqual([200, 401, 200])
  })
})

test('a custom adapter, on the instance or on a call, gets the token and sends the request', async () => {
  const { tokens, api, catalog } = await catalogSetup()
  const seen: unknown[] = []
  const adapter = axios.getAdapter((config) => {
    seen.push(config.headers.get('Authorization'))
    return axios.getAdapter('http')(config)
  })
  expect((await catalog('test', { adapter })).status).toBe(200)
  expect((await createAxios(tokens, 'catalog.client', { baseURL: api.baseURL, adapter })('test')).status).toBe(200)
  expect(seen).toEqual(Array(2).fill(expect.stringMatching(/^Bearer ey/)))
})

test('synchronous interceptors still run synchronously', async () => {
  const { tokens, api } = await catalogSetup()
  const instance = axios.create({ baseURL: api.baseURL })
  let ran = false
  const note = <T>(config: T) => {
    ran = true
    return config
  }
  instance.interceptors.request.use(note, null, { synchronous: true })
  attachTokens(instance, tokens, 'catalog.client')
  const call = instance('test')
  expect(ran).toBe(true)
  await call
})

function intercept(http: AxiosInstance): string[] {
  const log: string[] = []
  http.interceptors.request.use((config) => {
    log.push('request')
    config.headers.set('x-trace', 't')
    return config
  })
  http.interceptors.response.use(
    (response) => {
      log.push(`response ${response.status}`)
      return response
    },
    (error) => {
      log.push(`error ${error.response?.status}`)
      return Promise.reject(error)
    },
  )
  return log
}
