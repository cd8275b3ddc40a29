import { Readable } from 'node:stream'
import { type ClientDefinition, createTokenManager, type TokenManager } from '@tokenward/core'
import { type IdentityProviderOptions, startIdentityProvider } from '@tokenward/identity-provider'
import { type TokenInterceptorOptions, tokenInterceptor } from '@tokenward/undici'
import * as undici8 from 'undici'
import * as undici7 from 'undici-7'
import { describe, expect, onTestFinished, test } from 'vitest'

// Version 7 has types of its own for the same things.
describe.each([
  ['7', undici7 as unknown as typeof undici8],
  ['8', undici8],
])('undici %s', (_version, undici) => {
  async function setup(change: Partial<ClientDefinition> = {}, options: IdentityProviderOptions = {}) {
    const provider = await startIdentityProvider({
      ...options,
      clients: { 'dpop.client': { metadata: { dpop_bound_access_tokens: true } } },
    })
    const { clientId, clientSecret } = provider.client(change.dpop ? 'dpop.client' : 'catalog.client')
    const { tokenEndpoint, catalog: api } = provider
    const tokens = createTokenManager({
      clients: { c: { tokenEndpoint, clientId, clientSecret, scope: 'catalog', ...change } },
    })
    const dispatcher = authorized(tokens, { baseURL: api.baseURL })
    onTestFinished(async () => {
      await tokens.close()
      await provider.close()
    })
    const call = (path: string, init: object = {}) => undici.request(`${api.baseURL}${path}`, { dispatcher, ...init })
    return { provider, tokens, api, dispatcher, call }
  }

  function authorized(tokens: TokenManager<'c'>, options: TokenInterceptorOptions) {
    const dispatcher = new undici.Agent().compose(tokenInterceptor(tokens, 'c', options))
    onTestFinished(() => dispatcher.destroy())
    return dispatcher
  }

  test('a token is attached and cached; the answer reaches the caller', async () => {
    const { call, provider, api } = await setup()
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
    expect(await (await call('stream')).body.text()).toBe('line 1\nline 2\nline 3\nline 4\nline 5\n')
    expect((await call('status/204')).statusCode).toBe(204)
    expect((await call('test', { method: 'HEAD' })).statusCode).toBe(200)
  })

  test('headers in every form that undici takes are kept; an authorization of the caller is replaced', async () => {
    const { call, api } = await setup()
    const forms = [
      { 'x-a': '1', Authorization: 'Basic x' },
      ['x-a', '1', 'authorization', 'Basic x'],
      new Map([['x-a', '1']]),
    ]
    for (const headers of forms) expect((await call('test', { headers })).statusCode).toBe(200)
    expect(api.requests.map(({ headers }) => headers['x-a'])).toEqual(['1', '1', '1'])
  })

  test('a 401 is answered by one more request with a new token', async () => {
    const { call, provider, api } = await setup()
    await (await call('test')).body.dump()
    provider.revokeIssued()
    const { statusCode, body } = await call('list')
    expect(statusCode).toBe(200)
    expect(await body.json()).toHaveLength(3)
    expect(api.requests.map(({ status }) => status)).toEqual([200, 401, 200])
    expect(provider.tokenRequests).toHaveLength(2)
  })

  test('two 401s in a row reach the caller with their body, after exactly two requests', async () => {
    const { call, api } = await setup()
    api.faults.fail(Number.POSITIVE_INFINITY, { status: 401, body: { error: 'no' } })
    const { statusCode, body } = await call('list')
    expect([statusCode, await body.json()]).toEqual([401, { error: 'no' }])
    expect(api.requests).toHaveLength(2)
    const paused = await call('list')
    expect([paused.statusCode, await paused.body.json()]).toEqual([401, { error: 'no' }])
    expect(api.requests).toHaveLength(3)
  })

  test.each([
    ['a string', () => 'body'],
    ['a Buffer', () => Buffer.from('body')],
    ['a typed array', () => new TextEncoder().encode('body')],
  ])('a body of %s arrives whole the second time', async (_kind, body) => {
    const { call, provider, api } = await setup()
    await (await call('test')).body.dump()
    provider.revokeIssued()
    expect((await call('echo', { method: 'POST', body: body() })).statusCode).toBe(200)
    expect(api.requests.slice(1).map(({ status, body: sent }) => [status, sent.toString()])).toEqual([
      [401, 'body'],
      [200, 'body'],
    ])
  })

  test('a stream is not repeated: the caller gets the 401, and the next call a new token', async () => {
    const { call, provider, api } = await setup()
    await (await call('test')).body.dump()
    provider.revokeIssued()
    const { statusCode, body } = await call('echo', { method: 'POST', body: Readable.from(['streamed']) })
    expect([statusCode, await body.json()]).toEqual([401, { error: 'invalid_token' }])
    expect((await call('test')).statusCode).toBe(200)
    expect(api.requests.map(({ status }) => status)).toEqual([200, 401, 200])
  })

  test('100 concurrent calls over a revoked token: one token request, no failure', async () => {
    const { call, provider } = await setup()
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

  test('another origin is refused before a token is asked for, also behind a redirect', async () => {
    const { call, provider, tokens, dispatcher } = await setup()
    await expect(undici.request(provider.invoice.baseURL, { dispatcher })).rejects.toMatchObject({
      code: 'origin_not_allowed',
    })
    expect(provider.tokenRequests).toHaveLength(0)
    const { baseURL } = provider.catalog
    const following = new undici.Agent().compose(
      tokenInterceptor(tokens, 'c', { baseURL }),
      undici.interceptors.redirect({ maxRedirections: 5 }),
    )
    onTestFinished(() => following.destroy())
    expect((await undici.request(`${baseURL}redirect?to=test`, { dispatcher: following })).statusCode).toBe(200)
    const to = encodeURIComponent(`${provider.invoice.baseURL}test`)
    await expect(undici.request(`${baseURL}redirect?to=${to}`, { dispatcher: following })).rejects.toMatchObject({
      code: 'origin_not_allowed',
    })
    expect(provider.invoice.requests).toHaveLength(0)
    expect((await call('redirect?to=test')).statusCode).toBe(302)
  })

  test('a token that cannot be had fails the request; the API receives nothing', async () => {
    const { call, api } = await setup({ scope: 'invoice' })
    await expect(call('list')).rejects.toMatchObject({ code: 'token_request_failed', error: 'invalid_scope' })
    expect(api.requests).toHaveLength(0)
  })

  test('an abort rejects: before, while the token is asked for, and during the call', async () => {
    const { call, provider, api } = await setup()
    await expect(call('test', { signal: AbortSignal.abort() })).rejects.toThrow()
    expect(provider.tokenRequests).toHaveLength(0)
    provider.tokenEndpointFaults.fail(1, 'hang')
    const asking = new AbortController()
    const waiting = expect(call('test', { signal: asking.signal })).rejects.toThrow('while asking')
    await expect.poll(() => provider.tokenRequests.length).toBe(1)
    asking.abort(new Error('while asking'))
    await waiting
    expect(api.requests).toHaveLength(0)
  })

  test('DPoP: a proof for each request, and a nonce challenge answered once', async () => {
    const { call, provider, api } = await setup({ dpop: true })
    api.noncePolicy = 'rotated'
    for (let number = 0; number < 3; number++) {
      const { statusCode, body } = await call('echo?a=1', { method: 'POST', body: 'x' })
      expect(statusCode).toBe(200)
      await body.dump()
    }
    expect(api.requests.map(({ status }) => status)).toEqual([401, 200, 200, 200])
    expect(provider.tokenRequests).toHaveLength(1)
  })

  test("undici's own fetch takes the dispatcher", async () => {
    const { api, dispatcher, provider } = await setup()
    for (let number = 0; number < 2; number++) {
      const response = await undici.fetch(`${api.baseURL}list`, { dispatcher })
      expect([response.status, await response.json()]).toMatchObject([200, { length: 3 }])
      provider.revokeIssued()
    }
    expect(api.requests.map(({ status }) => status)).toEqual([200, 401, 200])
  })
})
