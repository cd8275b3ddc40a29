import { createFetch } from '@tokenward/fetch'
import { expect, test } from 'vitest'
import { catalogSetup } from './support'

test('after a 401 the request is sent once more with a new token, and succeeds', async () => {
  const { catalog, provider, api } = await catalogSetup()
  await catalog('list')
  provider.revokeIssued()
  const response = await catalog('list')
  expect(response.status).toBe(200)
  expect(await response.json()).toHaveLength(3)
  expect(api.requests.map(({ status }) => status)).toEqual([200, 401, 200])
  expect(provider.tokenRequests).toHaveLength(2)
})

test('after two 401s the caller gets a 401, and there was no third API request', async () => {
  const { catalog, api } = await catalogSetup()
  api.faults.fail(Number.POSITIVE_INFINITY, { status: 401, body: { error: 'no' } })
  const response = await catalog('list')
  expect(response.status).toBe(401)
  expect(await response.json()).toEqual({ error: 'no' })
  expect(api.requests).toHaveLength(2)
})

test('the caller gets the second response, whatever its status', async () => {
  const { catalog, api } = await catalogSetup()
  api.faults.fail(1, { status: 401 })
  api.faults.fail(1, { status: 503, body: 'down' })
  const response = await catalog('list')
  expect([response.status, await response.text()]).toEqual([503, 'down'])
})

test('an API that rejects every token: 100 calls each get their 401, and make at most 3 token requests', async () => {
  const { catalog, provider, api } = await catalogSetup()
  api.faults.fail(Number.POSITIVE_INFINITY, { status: 401 })
  for (let call = 0; call < 100; call++) expect((await catalog('list')).status).toBe(401)
  expect(provider.tokenRequests.length).toBeLessThanOrEqual(3)
})

test('100 concurrent calls with a revoked token make one token request, and no call fails', async () => {
  const { catalog, provider } = await catalogSetup()
  await catalog('list')
  provider.revokeIssued()
  const responses = await Promise.all(Array.from({ length: 100 }, () => catalog('list')))
  expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([200]))
  expect(provider.tokenRequests).toHaveLength(2)
})

const json = JSON.stringify({ text: 'ü'.repeat(2_000) })
const form = () => {
  const data = new FormData()
  data.set('field', 'value ü')
  data.set('file', new Blob(['content'], { type: 'text/plain' }), 'file.txt')
  return data
}

test.each<[string, () => BodyInit, string | RegExp]>([
  ['JSON', () => json, json],
  ['URLSearchParams', () => new URLSearchParams({ a: '1', b: 'ü' }), 'a=1&b=%C3%BC'],
  ['FormData', form, /value ü[\s\S]*file\.txt[\s\S]*content/],
  ['a Blob', () => new Blob(['blob ', 'of parts']), 'blob of parts'],
  ['a typed array', () => new TextEncoder().encode('typed array'), 'typed array'],
  ['an ArrayBuffer', () => new TextEncoder().encode('array buffer').buffer, 'array buffer'],
])('%s as body is sent whole in the second request, by init and by Request', async (_kind, body, expected) => {
  for (const by of ['init', 'Request']) {
    const { catalog, provider, api } = await catalogSetup()
    await catalog('test')
    provider.revokeIssued()
    const init = { method: 'POST', body: body() }
    const response = await (by === 'init' ? catalog('echo', init) : catalog(new Request(`${api.baseURL}echo`, init)))
    expect(response.status).toBe(200)
    const [, first, second] = api.requests
    expect([first?.status, second?.status]).toEqual([401, 200])
    for (const sent of [first, second]) {
      const text = sent?.body.toString('utf8')
      if (expected instanceof RegExp) expect(text).toMatch(expected)
      else expect(text).toBe(expected)
    }
  }
})

test('a ReadableStream body is not sent again: the caller gets the 401, and the next call uses a new token', async () => {
  const { catalog, provider, api } = await catalogSetup()
  await catalog('test')
  provider.revokeIssued()
  const body = new Blob(['streamed']).stream()
  const response = await catalog('echo', { method: 'POST', body, duplex: 'half' } as RequestInit)
  expect(response.status).toBe(401)
  expect(await response.json()).toEqual({ error: 'invalid_token' })
  expect((await catalog('test')).status).toBe(200)
  expect(api.requests.map(({ status, body: sent }) => [status, sent.toString()])).toEqual([
    [200, ''],
    [401, 'streamed'],
    [200, ''],
  ])
  expect(provider.tokenRequests).toHaveLength(2)
})

test('with retryOn401: false the caller gets the first 401, and the next call uses a new token', async () => {
  const { tokens, provider, api, catalog } = await catalogSetup()
  const once = createFetch(tokens, 'catalog.client', { baseURL: api.baseURL, retryOn401: false })
  await once('test')
  provider.revokeIssued()
  expect((await once('test')).status).toBe(401)
  expect((await once('test')).status).toBe(200)
  api.faults.fail(1, { status: 401 })
  expect((await catalog('test', { retryOn401: false })).status).toBe(401)
})

test('when no new token can be obtained, the caller gets the 401 of the API', async () => {
  const { catalog, provider, api } = await catalogSetup()
  await catalog('test')
  provider.revokeIssued()
  provider.tokenEndpointFaults.fail(Number.POSITIVE_INFINITY, { status: 400, body: { error: 'unauthorized_client' } })
  expect((await catalog('test')).status).toBe(401)
  expect(api.requests).toHaveLength(2)
})

test('the connection of a discarded 401 is used for later requests', async () => {
  const { catalog, provider, api } = await catalogSetup()
  const call = async () => {
    await (await catalog('test')).text()
    // The platform's fetch frees a connection one turn after its response was read.
    await new Promise((resolve) => setImmediate(resolve))
  }
  await call()
  provider.revokeIssued()
  await call()
  await call()
  expect(api.requests).toHaveLength(4)
  // The retry does not wait for the body of the 401, so it may need a connection of its own.
  expect(api.connections).toBeLessThanOrEqual(2)
})
