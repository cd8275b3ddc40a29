import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { attachTokens, createAxios } from '@tokenward/axios'
import { createTokenManager } from '@tokenward/core'
import { dpopTokens } from '@tokenward/test-support'
import axios from 'axios'
import { describe, expect, onTestFinished, test } from 'vitest'

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
}

// The token endpoint is a stand-in: the subject is what reaches the APIs.
function tokensOf() {
  let requests = 0
  const tokens = createTokenManager({
    clients: { c: { tokenEndpoint: 'https://as.example/token', clientId: 'id', clientSecret: 's' } },
    requester: { request: async () => ({ access_token: `t${++requests}`, token_type: 'Bearer', expires_in: 60 }) },
  })
  onTestFinished(() => tokens.close())
  return tokens
}

test.each(['before', 'after'])(
  'an interceptor that was added %s attachTokens and sets an adapter loses no token',
  async (when) => {
    const seen: unknown[] = []
    const api = await serve((request, response) => {
      seen.push([request.headers.authorization, request.headers['x-adapter']])
      response.end()
    })
    const instance = axios.create({ baseURL: api })
    const addInterceptor = () =>
      instance.interceptors.request.use((config) => {
        config.adapter = (sent) => {
          sent.headers.set('x-adapter', 'own')
          return axios.getAdapter('http')(sent)
        }
        return config
      })
    if (when === 'before') addInterceptor()
    const detach = attachTokens(instance, tokensOf(), 'c')
    if (when === 'after') addInterceptor()
    await instance.get('/')
    detach()
    await instance.get('/')
    expect(seen).toEqual([
      ['Bearer t1', 'own'],
      [undefined, 'own'],
    ])
  },
)

describe.each(['http', 'fetch'] as const)('by the %s adapter', (adapter) => {
  test('what the caller changes while the token is requested changes nothing', async () => {
    const seen: unknown[] = []
    const api = await serve(async (request, response) => {
      let body = ''
      for await (const chunk of request) body += chunk
      seen.push([request.url, body])
      response.end()
    })
    const instance = createAxios(tokensOf(), 'c', { baseURL: api, adapter })
    const params = { page: 1 }
    const data = Buffer.from('first')
    const call = instance.post('/p', data, { params })
    await undefined
    params.page = 2
    data.fill('x')
    await call
    expect(seen).toEqual([['/p?page=1', 'first']])
  })

  test('a 401 whose body never ends does not delay the second request, also for a stream', async () => {
    let requests = 0
    const api = await serve((_request, response) => {
      if (++requests % 2 === 0) return response.end('ok')
      response.writeHead(401)
      return response.write('x')
    })
    const instance = createAxios(tokensOf(), 'c', { baseURL: api, adapter, responseType: 'stream' })
    expect((await instance.get('/')).status).toBe(200)
    expect(requests).toBe(2)
  })

  test('a redirect to another origin carries no credentials, whoever set them', async () => {
    const seen: unknown[] = []
    const other = await serve((request, response) => {
      const { authorization, dpop, cookie, 'proxy-authorization': proxy, 'x-a': own } = request.headers
      seen.push({ authorization, dpop, cookie, proxy, own })
      response.end()
    })
    const bearerApi = await serve((_request, response) => response.writeHead(302, { location: other }).end())
    const headers = { Cookie: 'session=1', 'Proxy-Authorization': 'Basic x', 'x-a': '1' }
    await createAxios(tokensOf(), 'c', { baseURL: bearerApi, adapter }).get('/', { headers })
    const { api, start } = await dpopTokens()
    const bound = createAxios(start(), 'c', { baseURL: api.baseURL, adapter })
    await bound.get(`redirect?to=${encodeURIComponent(other)}`, { headers })
    expect(seen).toEqual([{ own: '1' }, { own: '1' }])
  })
})

test('what cannot be right is a ConfigurationError: no token manager, plain http, a relative URL without a base', async () => {
  expect(() => createAxios({} as never, 'c' as never, { baseURL: 'https://a.example' })).toThrow('getAccessToken')
  expect(() => createAxios(tokensOf(), 'c', { baseURL: 'http://a.example' })).toThrow('plain http')
  const instance = createAxios(tokensOf(), 'c', { allowedOrigins: ['https://a.example'] })
  await expect(instance.get('items')).rejects.toMatchObject({ code: 'invalid_configuration' })
})
