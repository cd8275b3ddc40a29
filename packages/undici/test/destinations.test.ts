import { createTokenManager } from '@tokenward/core'
import { tokenInterceptor } from '@tokenward/undici'
import { describe, expect, onTestFinished, test } from 'vitest'
import { authorizedAgent, catalogSetup, dpopSetup, serve, VERSIONS } from './support'

describe.each(VERSIONS)('undici %s', (_version, undici) => {
  /** A server that records what reaches it. */
  async function stranger() {
    const seen: { url: string | undefined; authorization: string | undefined; dpop: unknown; cookie: unknown }[] = []
    const origin = await serve(({ url, headers }, response) => {
      seen.push({ url, authorization: headers.authorization, dpop: headers.dpop, cookie: headers.cookie })
      response.end('{}')
    })
    return { origin, seen }
  }

  async function below() {
    const { tokens, api, provider } = await catalogSetup(undici)
    return { api, provider, interceptor: tokenInterceptor(tokens, 'catalog.client', { baseURL: api.baseURL }) }
  }

  async function belowDPoP() {
    const { tokens, api, provider } = await dpopSetup(undici)
    return { api, provider, interceptor: tokenInterceptor(tokens, 'c', { baseURL: api.baseURL }) }
  }

  test('a path that begins with // is a path of the origin that undici connects to', async () => {
    const { dispatcher, api, provider } = await catalogSetup(undici)
    const evil = await stranger()
    const { host } = new URL(api.origin)
    const attacks = [
      () => undici.request(`${evil.origin}//${host}/x`, { dispatcher }),
      () => dispatcher.request({ origin: evil.origin, path: `//${host}/x`, method: 'GET' }),
      () => dispatcher.request({ origin: new URL(evil.origin), path: `//${host}/x`, method: 'GET' }),
      () => dispatcher.request({ origin: evil.origin, path: `/\\${host}/x`, method: 'GET' }),
    ]
    for (const attack of attacks) {
      await expect(attack()).rejects.toMatchObject({ code: 'origin_not_allowed', origin: evil.origin })
    }
    expect(provider.tokenRequests).toHaveLength(0)
    expect(evil.seen).toEqual([])
    const { statusCode } = await dispatcher.request({
      origin: api.origin,
      path: `//${new URL(evil.origin).host}/x`,
      method: 'GET',
    })
    expect(statusCode).toBe(404)
    expect(api.requests[0]?.url).toBe(`//${new URL(evil.origin).host}/x`)
  })

  test('a path that is no path of the origin is refused', async () => {
    const { dispatcher, api, provider } = await catalogSetup(undici)
    const evil = await stranger()
    for (const path of [
      `${api.baseURL}test`,
      `${evil.origin}/x`,
      'catalog/test',
      '\\\\host/x',
      '\\x',
      '',
      '?a=1',
      '*',
    ]) {
      for (const origin of [api.origin, evil.origin]) {
        const call = dispatcher.request({ origin, path, method: 'GET' })
        await expect(call).rejects.toMatchObject({ code: 'invalid_configuration', problems: [{ option: 'path' }] })
      }
    }
    expect([provider.tokenRequests.length, api.requests.length, evil.seen.length]).toEqual([0, 0, 0])
  })

  test('a redirect to //api on another host is refused, as is every other origin', async () => {
    const { tokens, api, provider } = await catalogSetup(undici)
    const evil = await stranger()
    const following = new undici.Agent().compose(
      tokenInterceptor(tokens, 'catalog.client', { baseURL: api.baseURL }),
      undici.interceptors.redirect({ maxRedirections: 5 }),
    )
    onTestFinished(() => following.destroy())
    const targets = [`${evil.origin}//${new URL(api.origin).host}/x`, `${evil.origin}/x`]
    for (const to of targets) {
      const call = undici.request(`${api.baseURL}redirect?to=${encodeURIComponent(to)}`, { dispatcher: following })
      await expect(call).rejects.toMatchObject({ code: 'origin_not_allowed' })
    }
    expect(evil.seen).toEqual([])
    expect(provider.tokenRequests).toHaveLength(1)
  })

  test('redirects that are followed below the interceptor take no credentials to another origin', async () => {
    for (const dpop of [false, true]) {
      const { api, provider, interceptor } = dpop ? await belowDPoP() : await below()
      const evil = await stranger()
      const following = new undici.Agent().compose(undici.interceptors.redirect({ maxRedirections: 5 }), interceptor)
      onTestFinished(() => following.destroy())
      const url = `${api.baseURL}redirect?to=${encodeURIComponent(`${evil.origin}/x`)}`
      const { statusCode } = await undici.request(url, { dispatcher: following, headers: { cookie: 'a=b' } })
      // A proof is valid for one URL, so undici may not follow the redirects of a DPoP client.
      expect(statusCode).toBe(dpop ? 302 : 200)
      const none = { url: '/x', authorization: undefined, dpop: undefined, cookie: undefined }
      expect(evil.seen).toEqual(dpop ? [] : [none])
      const elsewhere = `${api.baseURL}redirect?to=${encodeURIComponent(`${provider.invoice.baseURL}test`)}`
      await undici.request(elsewhere, { dispatcher: following })
      expect(provider.tokenRequests).toHaveLength(1)
    }
  })

  test('a Client connects to its own origin, whatever origin a request names', async () => {
    const { tokens, api, provider } = await catalogSetup(undici)
    const evil = await stranger()
    const client = new undici.Client(evil.origin).compose(
      tokenInterceptor(tokens, 'catalog.client', { baseURL: api.baseURL }),
    )
    onTestFinished(() => client.destroy())
    await expect(client.request({ path: '/x', method: 'GET' })).rejects.toThrow()
    if (undici === VERSIONS[1]?.[1]) {
      const call = client.request({ origin: api.origin, path: '/x', method: 'GET' })
      await expect(call).rejects.toMatchObject({ code: 'origin_not_allowed', origin: evil.origin })
      expect(evil.seen).toEqual([])
    }
    expect(provider.tokenRequests).toHaveLength(0)
  })

  test('an origin is required', async () => {
    const { dispatcher } = await catalogSetup(undici)
    const call = dispatcher.request({ path: '/x', method: 'GET' } as never)
    await expect(call).rejects.toMatchObject({ code: 'invalid_configuration', problems: [{ option: 'origin' }] })
  })

  test('what cannot be right is refused at once', async () => {
    const { tokens } = await catalogSetup(undici)
    expect(() => tokenInterceptor({} as never, 'catalog.client' as never, { baseURL: 'https://api.example' })).toThrow(
      /tokens/,
    )
    expect(() => tokenInterceptor(tokens, 'catalog.client', undefined as never)).toThrow(/options/)
    expect(() => tokenInterceptor(tokens, 'catalog.client', { baseURL: 'http://api.example' })).toThrow(/plain http/)
  })

  test('an API by plain http is refused when only the loaded definition can tell', async () => {
    const { provider, api } = await catalogSetup(undici)
    const { clientId, clientSecret } = provider.client('catalog.client')
    const tokens = createTokenManager({
      clients: {
        'catalog.client': async () => ({
          tokenEndpoint: provider.tokenEndpoint,
          clientId,
          clientSecret,
          scope: 'catalog',
        }),
      },
    })
    onTestFinished(() => tokens.close())
    const allowedOrigins = ['http://api.example', api.origin]
    const dispatcher = authorizedAgent(undici, tokens, 'catalog.client', { allowedOrigins })
    await expect(undici.request('http://api.example/x', { dispatcher })).rejects.toMatchObject({
      code: 'origin_not_allowed',
      message: expect.stringContaining('plain http'),
    })
    const following = dispatcher.compose(undici.interceptors.redirect({ maxRedirections: 5 }))
    const call = undici.request(`${api.baseURL}redirect?to=http://api.example/x`, { dispatcher: following })
    await expect(call).rejects.toMatchObject({ code: 'origin_not_allowed' })
  })

  test('what the caller changes while the token is requested changes nothing', async () => {
    const { dispatcher, api, provider } = await catalogSetup(undici)
    const evil = await stranger()
    provider.tokenEndpointFaults.delayMs = 50
    const origin = new URL(api.origin)
    const headers: Record<string, string> = { 'x-a': '1' }
    const list = ['x-a', '1']
    const map = new Map([['x-a', '1']])
    const query = { page: 1, tag: ['a', 'b'], empty: null }
    const body = Buffer.from('before')
    const options = { origin, path: '/catalog/echo', method: 'POST', headers, query, body } as const
    const calls = [options, { ...options, headers: list }, { ...options, headers: map }].map((each) =>
      dispatcher.request(each as never),
    )
    origin.port = new URL(evil.origin).port
    Object.assign(options, { origin: evil.origin, path: '/other', method: 'PUT', body: 'other' })
    headers['x-a'] = list[1] = '2'
    map.set('x-a', '2')
    query.page = 2
    query.tag.push('c')
    body.write('behind')
    for (const call of calls) expect((await call).statusCode).toBe(200)
    expect(evil.seen).toEqual([])
    const sent = api.requests.map(({ method, url, headers: { 'x-a': value }, body: got }) => [
      method,
      url,
      value,
      `${got}`,
    ])
    expect(sent).toEqual(Array(3).fill(['POST', '/catalog/echo?page=1&tag=a&tag=b&empty=', '1', 'before']))
  })

  test('three calls that share one URL object send what it was at each call', async () => {
    const { dispatcher, api } = await catalogSetup(undici)
    const url = new URL(`${api.baseURL}test`)
    const calls = [1, 2, 3].map((page) => {
      url.searchParams.set('page', String(page))
      return undici.request(url, { dispatcher })
    })
    await Promise.all(calls)
    expect(api.requests.map(({ url: sent }) => sent).sort()).toEqual(
      [1, 2, 3].map((page) => `/catalog/test?page=${page}`),
    )
  })

  test('tokenParameters see the query; one in addition to a query in the path is refused as undici does', async () => {
    const { tokens, provider, api } = await catalogSetup(undici)
    const dispatcher = authorizedAgent(undici, tokens, 'catalog.client', {
      baseURL: api.baseURL,
      tokenParameters: ({ url, headers }) => ({ parameters: { for: `${url.search} ${headers.get('x-a')}` } }),
    })
    const get = { origin: api.origin, method: 'GET' as const, headers: { 'x-a': ['1', '2'] } }
    expect((await dispatcher.request({ ...get, path: '/catalog/test', query: { a: 'ü 1' } })).statusCode).toBe(200)
    expect(provider.tokenRequests[0]?.parameters.for).toBe('?a=%C3%BC%201 1, 2')
    await expect(dispatcher.request({ ...get, path: '/catalog/test?b=2', query: { a: 1 } })).rejects.toThrow(/query/i)
  })
})
