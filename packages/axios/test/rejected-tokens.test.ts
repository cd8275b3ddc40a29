import { Readable } from 'node:stream'
import axios from 'axios'
import NodeFormData from 'form-data'
import { describe, expect, test } from 'vitest'
import { ADAPTERS, catalogSetup } from './support'

const form = () => {
  const data = new FormData()
  data.set('field', 'value ü')
  data.set('file', new Blob(['content'], { type: 'text/plain' }), 'file.txt')
  return data
}

const nodeForm = () => {
  const data = new NodeFormData()
  data.append('field', 'streamed')
  return data
}

describe.each(ADAPTERS)('by the %s adapter', (adapter) => {
  test('after a 401 the request is sent once more with a new token, and succeeds', async () => {
    const { catalog, provider, api } = await catalogSetup({ adapter })
    await catalog('list')
    provider.revokeIssued()
    const { status, data } = await catalog('list')
    expect([status, data.length]).toEqual([200, 3])
    expect(api.requests.map((request) => request.status)).toEqual([200, 401, 200])
    expect(provider.tokenRequests).toHaveLength(2)
  })

  test('after two 401s the caller gets an AxiosError with status 401, and there was no third API request', async () => {
    const { catalog, api } = await catalogSetup({ adapter })
    api.faults.fail(Number.POSITIVE_INFINITY, { status: 401, body: { error: 'no' } })
    const error = await catalog('list').catch((reason) => reason)
    expect(error).toBeInstanceOf(axios.AxiosError)
    expect(error).toMatchObject({ code: 'ERR_BAD_REQUEST', status: 401, response: { data: { error: 'no' } } })
    expect(api.requests).toHaveLength(2)
  })

  test('the same holds when validateStatus accepts a 401', async () => {
    for (const validateStatus of [null, () => true]) {
      const { catalog, provider, api } = await catalogSetup({ adapter, validateStatus })
      await catalog('list')
      provider.revokeIssued()
      expect((await catalog('list')).status).toBe(200)
      api.faults.fail(2, { status: 401, body: { error: 'no' } })
      const { status, data } = await catalog('list', { tokenParameters: { scope: 'catalog' } })
      expect([status, data]).toEqual([401, { error: 'no' }])
      expect(api.requests.map((request) => request.status)).toEqual([200, 401, 200, 401, 401])
    }
  })

  test('the caller gets the second response, whatever its status', async () => {
    const { catalog, api } = await catalogSetup({ adapter })
    api.faults.fail(1, { status: 401 })
    api.faults.fail(1, { status: 503, body: 'down' })
    await expect(catalog('list')).rejects.toMatchObject({ status: 503, response: { data: 'down' } })
  })

  test('retryOn401 can be set on the client and on a call; with false the caller gets the first 401', async () => {
    const { catalog, provider, api } = await catalogSetup({ adapter, retryOn401: false })
    await catalog('test')
    provider.revokeIssued()
    await expect(catalog('test')).rejects.toMatchObject({ status: 401 })
    expect((await catalog('test')).status).toBe(200)
    api.faults.fail(1, { status: 401 })
    // Another scope, because a token that was renewed a moment ago is not renewed again.
    const config = { retryOn401: true, tokenParameters: { scope: 'catalog' } }
    expect((await catalog('test', config)).status).toBe(200)
  })

  test.each<[string, () => unknown, string | RegExp]>([
    ['a JSON object', () => ({ text: 'ü' }), '{"text":"ü"}'],
    ['a string', () => 'text', 'text'],
    ['URLSearchParams', () => new URLSearchParams({ a: '1', b: 'ü' }), 'a=1&b=%C3%BC'],
    ['FormData', form, /value ü[\s\S]*file\.txt[\s\S]*content/],
    ['a Blob', () => new Blob(['blob ', 'of parts']), 'blob of parts'],
    ['a Buffer', () => Buffer.from('buffer'), 'buffer'],
    ['an ArrayBuffer', () => new TextEncoder().encode('array buffer').buffer, 'array buffer'],
  ])('%s as body is sent whole in the second request', async (_kind, body, expected) => {
    const { catalog, provider, api } = await catalogSetup({ adapter })
    await catalog('test')
    provider.revokeIssued()
    await catalog.post('echo', body())
    const [, first, second] = api.requests
    expect([first?.status, second?.status]).toEqual([401, 200])
    for (const sent of [first, second]) {
      if (expected instanceof RegExp) expect(sent?.body.toString('utf8')).toMatch(expected)
      else expect(sent?.body.toString('utf8')).toBe(expected)
      // A server cannot read a form whose boundary differs from that in the content type.
      const [, boundary = ''] = /boundary=(\S+)/.exec(sent?.headers['content-type'] ?? '') ?? []
      expect(sent?.body.toString('utf8')).toContain(boundary)
    }
  })

  test.each<[string, () => unknown]>([
    ['a Node stream', () => Readable.from([Buffer.from('streamed')])],
    // Each of these two kinds works with one adapter only.
    adapter === 'fetch'
      ? ['a ReadableStream', () => new Blob(['streamed']).stream()]
      : ['a form of the form-data package', nodeForm],
  ])('%s is not sent again: the caller gets the 401, and the next call uses a new token', async (_kind, body) => {
    const { catalog, provider, api } = await catalogSetup({ adapter, maxRedirects: 0 })
    await catalog('test')
    provider.revokeIssued()
    const call = catalog.post('echo', body())
    await expect(call).rejects.toMatchObject({ status: 401, response: { data: { error: 'invalid_token' } } })
    expect((await catalog('test')).status).toBe(200)
    expect(api.requests.map(({ status }) => status)).toEqual([200, 401, 200])
    expect(api.requests[1]?.body.toString()).toContain('streamed')
    expect(provider.tokenRequests).toHaveLength(2)
  })

  test('when no new token can be obtained, the caller gets the 401 of the API', async () => {
    const { catalog, provider, api } = await catalogSetup({ adapter })
    await catalog('test')
    provider.revokeIssued()
    provider.tokenEndpointFaults.fail(Number.POSITIVE_INFINITY, { status: 400, body: { error: 'unauthorized_client' } })
    await expect(catalog('test')).rejects.toMatchObject({ response: { status: 401 } })
    expect(api.requests).toHaveLength(2)
  })

  test('100 concurrent calls with a revoked token make one token request, and no call fails', async () => {
    const { catalog, provider } = await catalogSetup({ adapter })
    await catalog('list')
    provider.revokeIssued()
    const responses = await Promise.all(Array.from({ length: 100 }, () => catalog('list')))
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([200]))
    expect(provider.tokenRequests).toHaveLength(2)
  })
})

test('the connection of a discarded 401 is used for later requests, also when the response is a stream', async () => {
  const { Agent } = await import('node:http')
  const httpAgent = new Agent({ keepAlive: true })
  const { catalog, provider, api } = await catalogSetup({ httpAgent, responseType: 'stream' })
  const call = async () => {
    const { data } = await catalog('test')
    for await (const _chunk of data);
    // The agent frees a connection one turn after its response was read.
    await new Promise((resolve) => setImmediate(resolve))
  }
  await call()
  provider.revokeIssued()
  await call()
  await call()
  httpAgent.destroy()
  expect(api.requests).toHaveLength(4)
  // The retry does not wait for the body of the 401, so it may need a connection of its own.
  expect(api.connections).toBeLessThanOrEqual(2)
})
