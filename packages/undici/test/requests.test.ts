import { describe, expect, test } from 'vitest'
import { catalogSetup, VERSIONS } from './support'

describe.each(VERSIONS)('undici %s', (_version, undici) => {
  test('a token is attached and cached, and the caller gets the response', async () => {
    const { call, provider, api } = await catalogSetup(undici)
    for (let number = 0; number < 3; number++) {
      const { statusCode, body } = await call('list', { headers: { 'x-trace': '1' } })
      expect(statusCode).toBe(200)
      expect(await body.json()).toHaveLength(3)
    }
    expect(provider.tokenRequests).toHaveLength(1)
    expect(api.requests[0]?.headers).toMatchObject({
      'x-trace': '1',
      authorization: expect.stringMatching(/^Bearer ey/),
    })
  })

  test('responses reach the caller unchanged: a stream, a status without a body, a HEAD', async () => {
    const { call } = await catalogSetup(undici)
    expect(await (await call('stream')).body.text()).toBe('line 1\nline 2\nline 3\nline 4\nline 5\n')
    expect((await call('status/204')).statusCode).toBe(204)
    expect((await call('test', { method: 'HEAD' })).statusCode).toBe(200)
  })

  test('headers are sent in every form that undici accepts; an Authorization header of the caller is replaced', async () => {
    const { call, api } = await catalogSetup(undici)
    const forms = [
      { 'x-a': '1', Authorization: 'Basic x' },
      ['x-a', '1', 'authorization', 'Basic x'],
      new Map([['x-a', '1']]),
    ]
    for (const headers of forms) expect((await call('test', { headers })).statusCode).toBe(200)
    expect(api.requests.map(({ headers }) => headers['x-a'])).toEqual(['1', '1', '1'])
  })

  test('an abort rejects the call before it starts and during the token request', async () => {
    const { call, provider, api } = await catalogSetup(undici)
    await expect(call('test', { signal: AbortSignal.abort() })).rejects.toThrow()
    expect(provider.tokenRequests).toHaveLength(0)
    provider.tokenEndpointFaults.fail(1, 'hang')
    const controller = new AbortController()
    const waiting = expect(call('test', { signal: controller.signal })).rejects.toThrow('during the token request')
    await expect.poll(() => provider.tokenRequests.length).toBe(1)
    controller.abort(new Error('during the token request'))
    await waiting
    expect(api.requests).toHaveLength(0)
  })

  test("undici's own fetch works with the dispatcher", async () => {
    const { api, dispatcher, provider } = await catalogSetup(undici)
    for (let number = 0; number < 2; number++) {
      const response = await undici.fetch(`${api.baseURL}list`, { dispatcher })
      expect([response.status, await response.json()]).toMatchObject([200, { length: 3 }])
      provider.revokeIssued()
    }
    expect(api.requests.map(({ status }) => status)).toEqual([200, 401, 200])
  })
})
