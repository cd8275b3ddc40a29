import { once } from 'node:events'
import http, { Agent } from 'node:http'
import { createServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import { createAxios } from '@tokenward/axios'
import { TokenRequestError } from '@tokenward/core'
import axios, { type AxiosRequestConfig, type AxiosResponse } from 'axios'
import axiosRetry from 'axios-retry'
import { describe, expect, onTestFinished, test } from 'vitest'
import { ADAPTERS, catalogSetup, tokensIn } from './support'

describe.each(ADAPTERS)('by the %s adapter', (adapter) => {
  test('a call fails with TokenRequestError when no token can be obtained; axios-retry does not retry, the API receives no request', async () => {
    const { catalog, provider, api } = await catalogSetup({ adapter })
    axiosRetry(catalog, { retries: 3 })
    const error = await catalog('list', { tokenParameters: { scope: 'invoice' } }).catch((reason) => reason)
    expect(error).toBeInstanceOf(TokenRequestError)
    expect(error).toMatchObject({ code: 'token_request_failed', error: 'invalid_scope', status: 400 })
    expect(provider.tokenRequests).toHaveLength(1)
    expect(api.requests).toHaveLength(0)
  })

  test('an error status is the usual AxiosError', async () => {
    const { catalog, api } = await catalogSetup({ adapter })
    api.faults.fail(1, { status: 422, body: { why: 'total' } })
    const error = await catalog.post('echo', { a: 1 }).catch((reason) => reason)
    expect(axios.isAxiosError(error)).toBe(true)
    expect(error).toMatchObject({
      code: 'ERR_BAD_REQUEST',
      status: 422,
      message: 'Request failed with status code 422',
      response: { status: 422, data: { why: 'total' } },
      config: { method: 'post', url: 'echo', baseURL: api.baseURL, data: '{"a":1}' },
    })
    expect(error.request).toBeDefined()
    expect(error.config.headers.Authorization).toBe('[redacted]')
    expect(error.toJSON().config.headers.Authorization).toBe('[redacted]')
  })

  test.each<[string, AxiosRequestConfig, 'reset' | 'hang' | { status: number; body?: string }]>([
    ['an error status', {}, { status: 500, body: 'x' }],
    ['an error status with maxRedirects: 0', { maxRedirects: 0 }, { status: 500 }],
    ['an error status with a stream', { responseType: 'stream' }, { status: 500, body: 'x' }],
    ['a second 401', {}, { status: 401 }],
    ['a broken connection', {}, 'reset'],
    ['a timeout', { timeout: 20 }, 'hang'],
    [
      'a body that does not parse',
      { responseType: 'json', transitional: { silentJSONParsing: false } },
      { status: 200, body: '{' },
    ],
    ['a response that is too long', { maxContentLength: 1 }, { status: 200, body: 'long' }],
  ])('the error of %s contains no token, at any depth', async (_what, config, fault) => {
    const { catalog, api } = await catalogSetup({ adapter })
    api.faults.fail(Number.POSITIVE_INFINITY, fault)
    const error = await catalog.post('echo', { a: 1 }, config).catch((reason) => reason)
    expect(axios.isAxiosError(error)).toBe(true)
    expectNoToken(error)
  })

  test('the error of an unreachable host, a cancelled call or a redirect contains no token', async () => {
    const { catalog, provider, api } = await catalogSetup({ adapter })
    await catalog('test')
    api.faults.fail(1, 'hang')
    const controller = new AbortController()
    const cancelled = catalog('test', { signal: controller.signal }).catch((reason) => reason)
    await expect.poll(() => api.requests.length).toBe(2)
    controller.abort()
    expectNoToken(await cancelled)
    expectNoToken(await catalog('redirect?to=status/500').catch((reason) => reason))
    expectNoToken(await catalog('redirect?to=redirect', { maxRedirects: 1 }).catch((reason) => reason))
    await provider.close()
    expectNoToken(await catalog('test').catch((reason) => reason))
    expectNoToken(await catalog.post('test', { a: 1 }, { maxRedirects: 0 }).catch((reason) => reason))
  })
})

test('an error does not show the tokens of other calls on the same agent', async () => {
  const { catalog, api } = await catalogSetup()
  await catalog('test')
  api.faults.fail(1, 'hang')
  const controller = new AbortController()
  const other = catalog('test', { signal: controller.signal }).catch((reason) => reason)
  await expect.poll(() => api.requests.length).toBe(2)
  const error = await catalog('status/500').catch((reason) => reason)
  expect(inspect(error.request)).toBe('[ClientRequest]')
  expectNoneShown(error)
  controller.abort()
  await other
})

test('a successful response contains no token, in its config and its request', async () => {
  const { catalog } = await catalogSetup()
  const response = await catalog('test')
  expect(response.config.headers.Authorization).toBe('[redacted]')
  expect(response.request._header).toContain('Authorization: [redacted]')
  expect(response.request.getHeader('authorization')).toBe('[redacted]')
  expect(tokensIn(response)).toEqual([])
})

test.each<[string, AxiosRequestConfig]>([
  ['text', {}],
  ['bytes', { responseType: 'arraybuffer' }],
  ['a stream', { responseType: 'stream' }],
  ['text by an agent of the caller', { httpAgent: new Agent({ keepAlive: true }) }],
  ['text by a transport of the caller', { transport: http }],
])('a response with %s contains no token before and after its request is read', async (_what, config) => {
  const { catalog } = await catalogSetup()
  const response = await catalog('test', config)
  expect(tokensIn(response, false)).toEqual([])
  const copies = [{ ...response }, Object.assign({}, response)]
  for (const one of [...copies, response]) {
    expect(one.request._header).toContain('[redacted]')
    expect(tokensIn(one)).toEqual([])
  }
  config.httpAgent?.destroy()
})

test('a request by HTTP/2 contains no token, in a response and in an error', async () => {
  const server = createServer()
  server.on('stream', (stream, { ':path': path }) => {
    stream.respond({ ':status': path === '/ok' ? 200 : 500 })
    stream.end()
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  const { tokens } = await catalogSetup()
  const catalog = createAxios(tokens, 'catalog.client', { baseURL: `http://127.0.0.1:${port}`, httpVersion: 2 })
  const response = await catalog('ok')
  expect(response.request.sentHeaders).toMatchObject({ ':path': '/ok', Authorization: '[redacted]' })
  const error = await catalog('fails').catch((reason) => reason)
  expect(error.request.sentHeaders).toMatchObject({ ':path': '/fails', Authorization: '[redacted]' })
  expect([...tokensIn(response), ...tokensIn(error)]).toEqual([])
})

test('no way to show or copy a response that nobody has read shows its token', async () => {
  const { catalog } = await catalogSetup()
  const shown: ((response: AxiosResponse) => unknown)[] = [
    (response) => response,
    (response) => ({ ...response }),
    (response) => Object.entries(response),
    (response) => Object.freeze(response),
    (response) => Object.getOwnPropertyDescriptors(response).request?.get?.call(undefined),
    (response) => Object.create(response).request,
    (response) => Object.entries(response.request),
  ]
  for (const show of shown) {
    const text = inspect(show(await catalog('test')), {
      depth: Number.POSITIVE_INFINITY,
      getters: true,
      showHidden: true,
      maxStringLength: null,
      maxArrayLength: null,
    })
    expect(text).not.toMatch(/eyJ[\w-]+\.eyJ/)
  }
})

test('the request of a response is the one that axios gives, and can be replaced or removed', async () => {
  const { catalog, api } = await catalogSetup()
  const response = await catalog('test')
  expect(Object.keys(response)).toContain('request')
  expect(response.request).toBe(response.request)
  expect(response.request.res.responseUrl).toBe(`${api.baseURL}test`)
  response.request = undefined
  expect(Object.getOwnPropertyDescriptor(response, 'request')).toMatchObject({ value: undefined, enumerable: true })
  delete response.request
  expect('request' in response).toBe(false)
})

function expectNoToken(error: Error): void {
  expectNoneShown(error)
  // Printing is not enough: no object that can be reached from the error may hold the token.
  expect(tokensIn(error, false)).toEqual([])
  expect(tokensIn(error)).toEqual([])
}

function expectNoneShown(error: Error): void {
  const shown = inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true, maxStringLength: null })
  expect(shown).toContain('[redacted]')
  expect(shown).not.toMatch(/eyJ[\w-]+\.eyJ/)
  expect(JSON.stringify(error)).not.toMatch(/eyJ[\w-]+\.eyJ/)
}
