import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { catalogSetup, VERSIONS } from './support'

describe.each(VERSIONS)('undici %s', (_version, undici) => {
  test('after a 401 the request is sent once more with a new token', async () => {
    const { call, provider, api } = await catalogSetup(undici)
    await (await call('test')).body.dump()
    provider.revokeIssued()
    const { statusCode, body } = await call('list')
    expect(statusCode).toBe(200)
    expect(await body.json()).toHaveLength(3)
    expect(api.requests.map(({ status }) => status)).toEqual([200, 401, 200])
    expect(provider.tokenRequests).toHaveLength(2)
  })

  test('after two 401s the caller gets the second with its body, and there was no third request', async () => {
    const { call, api } = await catalogSetup(undici)
    api.faults.fail(Number.POSITIVE_INFINITY, { status: 401, body: { error: 'no' } })
    const { statusCode, body } = await call('list')
    expect([statusCode, await body.json()]).toEqual([401, { error: 'no' }])
    expect(api.requests).toHaveLength(2)
    const duringCooldown = await call('list')
    expect([duringCooldown.statusCode, await duringCooldown.body.json()]).toEqual([401, { error: 'no' }])
    expect(api.requests).toHaveLength(3)
  })

  test.each([
    ['a string', () => 'body'],
    ['a Buffer', () => Buffer.from('body')],
    ['a typed array', () => new TextEncoder().encode('body')],
  ])('%s as body is sent whole in the second request', async (_kind, body) => {
    const { call, provider, api } = await catalogSetup(undici)
    await (await call('test')).body.dump()
    provider.revokeIssued()
    expect((await call('echo', { method: 'POST', body: body() })).statusCode).toBe(200)
    expect(api.requests.slice(1).map(({ status, body: sent }) => [status, sent.toString()])).toEqual([
      [401, 'body'],
      [200, 'body'],
    ])
  })

  test('a stream is not sent again: its caller gets the 401, and the next call uses a new token', async () => {
    const { call, provider, api } = await catalogSetup(undici)
    await (await call('test')).body.dump()
    provider.revokeIssued()
    const { statusCode, body } = await call('echo', { method: 'POST', body: Readable.from(['streamed']) })
    expect([statusCode, await body.json()]).toEqual([401, { error: 'invalid_token' }])
    expect((await call('test')).statusCode).toBe(200)
    expect(api.requests.map(({ status }) => status)).toEqual([200, 401, 200])
  })

  test('100 concurrent calls with a revoked token make one token request, and no call fails', async () => {
    const { call, provider } = await catalogSetup(undici)
    await (await call('test')).body.dump()
    provider.revokeIssued()
    const statuses = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const { statusCode, body } = await call('test')
        await body.dump()
        return statusCode
      }),
    )
    expect(new Set(statuses)).toEqual(new Set([200]))
    expect(provider.tokenRequests).toHaveLength(2)
  })
})
