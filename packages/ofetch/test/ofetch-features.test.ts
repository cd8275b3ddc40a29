import { createOfetch } from '@tokenward/ofetch'
import { type FetchContext, ofetch } from 'ofetch'
import { expect, test } from 'vitest'
import { catalogSetup } from './support'

test('hooks, defaults and retries work as in ofetch', async () => {
  const { tokens, api } = await catalogSetup()
  const log: string[] = []
  const options = {
    baseURL: api.baseURL,
    headers: { 'x-app': 'worker' },
    query: { v: '1' },
    retry: 2,
    retryDelay: 1,
    onRequest: ({ request, options: { headers } }: FetchContext) => {
      headers.set('x-trace', 't')
      log.push(`request ${request}`)
    },
    onResponse: ({ response }: FetchContext) => void log.push(`response ${response?.status}`),
    onResponseError: ({ response }: FetchContext) => void log.push(`error ${response?.status}`),
  }
  const calls = async (http: typeof ofetch) => {
    log.length = 0
    api.faults.fail(1, { status: 503 })
    await http('test', { query: { a: '2' } }).catch(() => {})
    return [...log]
  }
  const before = await calls(ofetch.create({ ...options, retryStatusCodes: [503, 401] }))
  const catalog = createOfetch(tokens, 'catalog.client', options)
  const after = await calls(catalog)
  expect(after).toEqual([
    'request test',
    'response 503',
    'error 503',
    `request ${api.baseURL}test?v=1&a=2`,
    'response 200',
  ])
  expect(before.slice(0, 4)).toEqual(after.slice(0, 4))
  const { url, headers } = api.requests.at(-1) ?? {}
  expect(url).toBe('/catalog/test?v=1&a=2')
  expect(headers).toMatchObject({ 'x-app': 'worker', 'x-trace': 't' })
})

test('every retry of ofetch has the token, after an error status and after a broken connection', async () => {
  const { catalog, provider, api } = await catalogSetup({ retry: 2 })
  api.faults.fail(1, { status: 500 })
  api.faults.fail(1, 'reset')
  expect(await catalog('test')).toEqual({ ok: true })
  expect(api.requests.map(({ headers }) => headers.authorization?.slice(0, 9))).toEqual(Array(3).fill('Bearer ey'))
  expect(provider.tokenRequests).toHaveLength(1)
})

test('parseResponse, responseType, ignoreResponseError and raw work as in ofetch', async () => {
  const { catalog } = await catalogSetup()
  expect(await catalog('test', { parseResponse: (text) => `parsed ${text}` })).toBe('parsed {"ok":true}')
  expect(await catalog('test', { responseType: 'text' })).toBe('{"ok":true}')
  expect(await (await catalog('test', { responseType: 'blob' })).text()).toBe('{"ok":true}')
  expect(await catalog('status/422', { ignoreResponseError: true })).toEqual({ status: 422 })
  const stream = await catalog('stream', { responseType: 'stream' })
  expect(await new Response(stream).text()).toBe('line 1\nline 2\nline 3\nline 4\nline 5\n')
  const raw = await catalog.raw<{ ok: boolean }>('test')
  expect([raw.status, raw._data, raw.headers.get('content-type')]).toEqual([200, { ok: true }, 'application/json'])
  expect((await catalog.raw('status/204')).status).toBe(204)
  expect((await catalog.raw('status/304')).status).toBe(304)
  expect((await catalog.raw('test', { method: 'HEAD' })).status).toBe(200)
})

test('native does not parse the response, and renews the token after a 401', async () => {
  const { catalog, provider, api } = await catalogSetup()
  await catalog('test')
  provider.revokeIssued()
  const init = Object.freeze({ method: 'POST', body: 'text' })
  const response = await catalog.native(`${api.baseURL}echo`, init)
  expect(await response.json()).toMatchObject({ method: 'POST', text: 'text' })
  expect(api.requests.map(({ status }) => status)).toEqual([200, 401, 200])
})

test('create returns a client with tokens and merged defaults', async () => {
  const { catalog, provider, api } = await catalogSetup({ headers: { 'x-app': 'worker' } })
  const seen: string[] = []
  const traced = catalog.create({ query: { v: 1 }, onRequest: () => void seen.push('hook') })
  const transported = traced.create(
    {},
    {
      fetch: (input, init) => {
        seen.push(`transport ${new Headers(init?.headers).get('authorization')?.slice(0, 9)}`)
        return fetch(input, init)
      },
    },
  )
  expect(await traced('test')).toEqual({ ok: true })
  expect(await transported('test')).toEqual({ ok: true })
  expect((await transported.native('test')).status).toBe(200)
  expect(seen).toEqual(['hook', 'hook', 'transport Bearer ey', 'transport Bearer ey'])
  expect(api.requests.map(({ url, headers }) => [url, headers['x-app']])).toEqual([
    ['/catalog/test?v=1', 'worker'],
    ['/catalog/test?v=1', 'worker'],
    ['/catalog/test', undefined],
  ])
  expect(provider.tokenRequests).toHaveLength(1)
})

test('the fetch option replaces the transport', async () => {
  const seen: string[] = []
  const { catalog, api } = await catalogSetup({
    fetch: (input, init) => {
      seen.push(String(input))
      return fetch(input, init)
    },
  })
  await catalog('test')
  await catalog.native('test')
  expect(seen).toEqual([`${api.baseURL}test`, `${api.baseURL}test`])
})

test('the transport gets options that nobody else knows, and none from a prototype that JSON brought along', async () => {
  const marker = Symbol('marker')
  const given: (RequestInit & Record<PropertyKey, unknown>)[] = []
  const { catalog } = await catalogSetup({
    fetch: (input, init) => {
      given.push({ ...init })
      given.push(Object.getPrototypeOf(init))
      return fetch(input, init)
    },
  })
  const parsed = JSON.parse('{"__proto__": {"redirect": "error"}, "cf": {"cacheTtl": 5}}')
  await catalog('test', { ...parsed, [marker]: 1 })
  expect(given).toEqual([expect.objectContaining({ cf: { cacheTtl: 5 }, [marker]: 1 }), Object.prototype])
})
