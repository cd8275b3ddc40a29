import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { Readable } from 'node:stream'
import { attachTokens, createAxios } from '@tokenward/axios'
import { type ClientDefinition, createTokenManager } from '@tokenward/core'
import axios from 'axios'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { ADAPTERS } from './support'

async function startServer(listener: RequestListener) {
  const requests: IncomingMessage[] = []
  const server = createServer((request, response) => {
    requests.push(request)
    listener(request, response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  return { origin: `http://127.0.0.1:${port}`, port, requests }
}

// The token endpoint is a stand-in: what reaches the APIs is tested here.
function startTokens(change: Partial<ClientDefinition> = {}) {
  let requests = 0
  const tokens = createTokenManager({
    clients: { c: { tokenEndpoint: 'https://as.example/token', clientId: 'id', clientSecret: 's', ...change } },
    requester: {
      request: async () => ({
        access_token: `t${++requests}`,
        token_type: change.dpop ? 'DPoP' : 'Bearer',
        expires_in: 60,
      }),
    },
  })
  onTestFinished(() => tokens.close())
  return tokens
}

describe.each(ADAPTERS)('by the %s adapter', (adapter) => {
  test.each(['before', 'after'])(
    'an interceptor that is registered %s attachTokens and sets config.adapter does not lose the token',
    async (when) => {
      const api = await startServer((_request, response) => response.end())
      for (const legacyInterceptorReqResOrdering of [true, false]) {
        const http = axios.create({ baseURL: api.origin, transitional: { legacyInterceptorReqResOrdering } })
        const intercept = () =>
          http.interceptors.request.use(async (config) => ({ ...config, adapter: axios.getAdapter(adapter) }))
        if (when === 'before') intercept()
        const detach = attachTokens(http, startTokens(), 'c')
        if (when === 'after') intercept()
        await http('/x')
        http.interceptors.request.clear()
        await http('/x')
        detach()
        await http('/x')
      }
      const sent = api.requests.map(({ headers }) => headers.authorization)
      expect(sent).toEqual(['Bearer t1', 'Bearer t1', undefined, 'Bearer t1', 'Bearer t1', undefined])
    },
  )

  test.each(['with', 'without'])(
    'what the caller changes after the call changes nothing, %s interceptors',
    async (has) => {
      const seen: unknown[] = []
      const api = await startServer(async (request, response) => {
        let text = ''
        for await (const chunk of request) text += chunk
        seen.push([request.url, request.headers['x-a'], text])
        response.end()
      })
      const http = createAxios(startTokens(), 'c', { baseURL: api.origin, adapter })
      if (has === 'with') http.interceptors.request.use(async (config) => config)
      const params = new URLSearchParams()
      const data = Buffer.from('first')
      const headers = { 'x-a': '1', 'content-type': 'application/octet-stream' }
      const calls = [1, 2, 3].map((page) => {
        params.set('page', String(page))
        return http.post('list', data, { params, headers })
      })
      data.fill('x')
      headers['x-a'] = '2'
      await Promise.all(calls)
      expect(seen.sort()).toEqual([1, 2, 3].map((page) => [`/list?page=${page}`, '1', 'first']))
    },
  )

  test('what an interceptor changes in the config after it returned changes nothing', async () => {
    const seen: unknown[] = []
    const evil = await startServer((_request, response) => response.end())
    const api = await startServer((request, response) => {
      seen.push([request.method, request.url, request.headers['x-a']])
      response.end()
    })
    const tokenParameters = async () => {
      // The token is being requested: the config of the request has been checked.
      Object.assign(kept, { url: '/y', baseURL: evil.origin, method: 'delete' })
      kept.params.a = 2
      kept.headers.set('x-a', '2')
      return {}
    }
    const http = createAxios(startTokens(), 'c', { baseURL: api.origin, adapter, tokenParameters })
    // biome-ignore lint/suspicious/noExplicitAny: axios declares params so
    let kept: any
    http.interceptors.request.use((config) => {
      kept = config
      return config
    })
    await http('/x', { params: { a: 1 }, headers: { 'x-a': '1' } })
    expect(seen).toEqual([['GET', '/x?a=1', '1']])
    expect(evil.requests).toEqual([])
  })

  test('a parameter serializer that returns another URL the second time does not change where the request goes', async () => {
    const api = await startServer((_request, response) => response.end())
    const http = createAxios(startTokens(), 'c', { baseURL: api.origin, adapter })
    let calls = 0
    const { config } = await http('/x', { params: { a: 1 }, paramsSerializer: { serialize: () => `call=${++calls}` } })
    expect(api.requests.map(({ url }) => url)).toEqual(['/x?call=1'])
    expect(config).toMatchObject({ url: '/x', baseURL: api.origin, params: { a: 1 } })
  })

  test.each(['never ends', 'is longer than anybody reads'])(
    'a streamed 401 whose body %s does not delay the second request, and its connection is closed',
    async (kind) => {
      const api = await startServer((request, response) => {
        if (request.headers.authorization === 'Bearer t2') return response.end('ok')
        response.writeHead(401)
        return kind === 'never ends' ? response.write('x') : response.end('x'.repeat(100_000_000))
      })
      const http = createAxios(startTokens(), 'c', { baseURL: api.origin, adapter, responseType: 'stream' })
      // The time after which a slow body is cut off does not pass before the second request has its response.
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
      onTestFinished(() => void vi.useRealTimers())
      const { status, data } = await http('/x', { timeout: 5_000 })
      expect(status).toBe(200)
      const rejected = api.requests[0]?.socket
      if (kind === 'never ends') {
        expect(rejected?.destroyed).toBe(false)
        vi.advanceTimersByTime(1_000)
      }
      await expect.poll(() => rejected?.destroyed).toBe(true)
      for await (const chunk of data as Readable) expect(Buffer.from(chunk).toString()).toBe('ok')
    },
  )

  test.each(['Bearer', 'DPoP'])('a redirect of a %s request to another origin carries no credentials', async (type) => {
    const elsewhere = await startServer((_request, response) => response.end())
    const api = await startServer((_request, response) =>
      response.writeHead(302, { location: `${elsewhere.origin}/x` }).end(),
    )
    const http = createAxios(startTokens({ dpop: type === 'DPoP' }), 'c', { baseURL: api.origin, adapter })
    await http('/x', { headers: { cookie: 'session=1', 'proxy-authorization': 'Basic x', 'x-trace': '1' } })
    const [sent] = elsewhere.requests
    expect(sent?.headers).toMatchObject({ 'x-trace': '1', host: new URL(elsewhere.origin).host })
    for (const name of ['authorization', 'cookie', 'proxy-authorization', 'dpop']) {
      expect([name, sent?.headers[name]]).toEqual([name, undefined])
    }
  })

  test.each(['data:text/plain,x', 'file:///etc/passwd'])('a redirect to %s is refused', async (location) => {
    const api = await startServer((_request, response) => response.writeHead(302, { location }).end('moved'))
    for (const dpop of [true, false]) {
      const http = createAxios(startTokens({ dpop }), 'c', { baseURL: api.origin, adapter })
      await expect(http('/x')).rejects.toThrow()
    }
    expect(api.requests).toHaveLength(2)
  })

  test("an API's response is not lost when its client is removed meanwhile", async () => {
    const tokens = startTokens({ dpop: true })
    const api = await startServer((_request, response) => {
      tokens.removeClient('c')
      response.writeHead(200, { 'dpop-nonce': 'n1' }).end('saved')
    })
    const { status, data } = await createAxios(tokens, 'c', { baseURL: api.origin, adapter }).post('/x')
    expect([status, data]).toEqual([200, 'saved'])
  })
})

test('a redirect to a subdomain carries no cookie', async () => {
  const api = await startServer((request, response) => {
    if (request.url === '/y') return response.end()
    return response.writeHead(302, { location: `http://sub.localhost:${api.port}/y` }).end()
  })
  const lookup = (_host: string, _options: object, found: (error: null, address: string, family: 4) => void) =>
    found(null, '127.0.0.1', 4)
  const options = { baseURL: `http://localhost:${api.port}`, lookup, proxy: false as const }
  await createAxios(startTokens(), 'c', options)('/x', { headers: { cookie: 'session=1', 'x-trace': '1' } })
  const [, redirected] = api.requests
  expect([redirected?.headers['x-trace'], redirected?.headers.cookie]).toEqual(['1', undefined])
})

test('an adapter of the user gets url, baseURL and params as the caller wrote them', async () => {
  const seen: unknown[] = []
  const http = createAxios(startTokens(), 'c', {
    baseURL: 'https://api.example',
    adapter: async (config) => {
      seen.push([config.url, config.baseURL, config.params])
      return { data: '', status: 200, statusText: 'OK', headers: {}, config }
    },
  })
  await http('/x', { params: { a: 1 } })
  expect(seen).toEqual([['/x', 'https://api.example', { a: 1 }]])
})

test('plain http to another host, and what is no token manager, are configuration errors', async () => {
  expect(() => createAxios(startTokens(), 'c', { baseURL: 'http://api.example' })).toThrow('plain http')
  expect(() => attachTokens(axios.create({ baseURL: 'http://api.example' }), startTokens(), 'c')).toThrow('plain http')
  expect(() => createAxios({} as never, 'c' as never, { baseURL: 'https://api.example' })).toThrow(
    expect.objectContaining({ code: 'invalid_configuration' }),
  )
  const tokens = createTokenManager({
    clients: { c: async () => ({ tokenEndpoint: 'https://as.example/token', clientId: 'id', clientSecret: 's' }) },
  })
  onTestFinished(() => tokens.close())
  const late = createAxios(tokens, 'c', { allowedOrigins: ['http://api.example'] })
  await expect(late('http://api.example/x')).rejects.toMatchObject({ code: 'origin_not_allowed' })
})
