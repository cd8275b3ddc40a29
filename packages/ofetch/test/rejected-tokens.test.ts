import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { catalogSetup } from './support'

test('after a 401 the request is sent once more with a new token, and hooks see only the success', async () => {
  const seen: number[] = []
  const { catalog, provider, api } = await catalogSetup({
    onResponse: ({ response }) => void seen.push(response.status),
  })
  await catalog('list')
  provider.revokeIssued()
  expect(await catalog('list')).toHaveLength(3)
  expect(api.requests.map(({ status }) => status)).toEqual([200, 401, 200])
  expect(provider.tokenRequests).toHaveLength(2)
  expect(seen).toEqual([200, 200])
})

test('after two 401s the caller gets a FetchError with status 401, and there was no third API request', async () => {
  const { catalog, api } = await catalogSetup()
  api.faults.fail(Number.POSITIVE_INFINITY, { status: 401, body: { error: 'no' } })
  await expect(catalog('list')).rejects.toMatchObject({ name: 'FetchError', status: 401, data: { error: 'no' } })
  expect(api.requests).toHaveLength(2)
})

test('the caller gets the second response, whatever its status', async () => {
  const { catalog, api } = await catalogSetup()
  api.faults.fail(1, { status: 401 })
  api.faults.fail(1, { status: 422, body: { why: 'total' } })
  await expect(catalog('list')).rejects.toMatchObject({ status: 422, data: { why: 'total' } })
})

test('retryOn401 can be set on the client and on a call; with false the caller gets the first 401', async () => {
  const { catalog, provider, api } = await catalogSetup({ retryOn401: false })
  await catalog('test')
  provider.revokeIssued()
  await expect(catalog('test')).rejects.toMatchObject({ status: 401 })
  expect(await catalog('test')).toEqual({ ok: true })
  api.faults.fail(1, { status: 401 })
  // Another scope, because a token that was renewed a moment ago is not renewed again.
  const options = { retryOn401: true, tokenParameters: { scope: 'catalog' } }
  expect(await catalog('test', options)).toEqual({ ok: true })
})

const form = () => {
  const data = new FormData()
  data.set('field', 'value ü')
  data.set('file', new Blob(['content'], { type: 'text/plain' }), 'file.txt')
  return data
}

test.each<[string, () => BodyInit | Record<string, unknown>, string | RegExp]>([
  ['a JSON object', () => ({ text: 'ü' }), '{"text":"ü"}'],
  ['a string', () => 'text', 'text'],
  ['URLSearchParams', () => new URLSearchParams({ a: '1', b: 'ü' }), 'a=1&b=%C3%BC'],
  ['FormData', form, /value ü[\s\S]*file\.txt[\s\S]*content/],
  ['a Blob', () => new Blob(['blob ', 'of parts']), 'blob of parts'],
  ['a Buffer', () => Buffer.from('buffer'), 'buffer'],
])('%s as body is sent whole in the second request', async (_kind, body, expected) => {
  const { catalog, provider, api } = await catalogSetup()
  await catalog('test')
  provider.revokeIssued()
  await catalog('echo', { method: 'POST', body: body() })
  const [, first, second] = api.requests
  expect([first?.status, second?.status]).toEqual([401, 200])
  for (const sent of [first, second]) {
    if (expected instanceof RegExp) expect(sent?.body.toString('utf8')).toMatch(expected)
    else expect(sent?.body.toString('utf8')).toBe(expected)
  }
  expect(second?.headers['content-type']?.split('boundary')[0]).toBe(
    first?.headers['content-type']?.split('boundary')[0],
  )
})

test.each<[string, () => unknown]>([
  ['a ReadableStream', () => new Blob(['streamed']).stream()],
  ['a Node stream', () => Readable.from([Buffer.from('streamed')])],
])('%s is not sent again: the caller gets the 401, and the next call uses a new token', async (_kind, body) => {
  const { catalog, provider, api } = await catalogSetup()
  await catalog('test')
  provider.revokeIssued()
  const call = catalog('echo', { method: 'POST', body: body() as ReadableStream })
  await expect(call).rejects.toMatchObject({ status: 401, data: { error: 'invalid_token' } })
  expect(await catalog('test')).toEqual({ ok: true })
  expect(api.requests.map(({ status, body: sent }) => [status, sent.toString()])).toEqual([
    [200, ''],
    [401, 'streamed'],
    [200, ''],
  ])
  expect(provider.tokenRequests).toHaveLength(2)
})
