import { attachTokens, createAxios } from '@tokenward/axios'
import { dpopTokens, serve, tokensOf } from '@tokenward/test-support'
import axios from 'axios'
import { describe, expect, test } from 'vitest'

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

describe.each(['http', 'fetch'] as const)('by the %s adapter', (adapter) => {
  test('three calls that share one URL object send what it was at each call, and to its origin then', async () => {
    const seen: (string | undefined)[] = []
    const api = await serve((request, response) => {
      seen.push(request.url)
      response.end()
    })
    const other = await serve((request, response) => {
      seen.push(`other ${request.headers.authorization}`)
      response.end()
    })
    const instance = createAxios(tokensOf(), 'c', { baseURL: api, adapter })
    const url = new URL(`${api}/items`)
    const calls = [1, 2, 3].map((page) => {
      url.searchParams.set('page', String(page))
      // TypeScript allows strings only, JavaScript users also pass URL objects.
      return instance.get(url as never)
    })
    url.port = new URL(other).port
    await Promise.all(calls)
    expect(seen.sort()).toEqual(['/items?page=1', '/items?page=2', '/items?page=3'])
  })

  test.each(['drips', 'never ends', 'has no end'])(
    'a dropped 401 stream that %s loses its connection within seconds',
    async (how) => {
      let requests = 0
      let closed = false
      const api = await serve((_request, response) => {
        if (++requests > 1) return response.end('ok')
        response.writeHead(401).write('x')
        const chunk = Buffer.alloc(how === 'drips' ? 1 : 64 * 1024)
        const timer = how === 'never ends' ? undefined : setInterval(() => response.write(chunk), 20)
        return response.once('close', () => {
          clearInterval(timer)
          closed = true
        })
      })
      const options = { baseURL: api, adapter, responseType: 'stream' as const }
      expect((await createAxios(tokensOf(), 'c', options).get('/')).status).toBe(200)
      await expect.poll(() => closed).toBe(true)
    },
  )

  test('the timeout holds for a 401 whose body axios reads itself', async () => {
    const api = await serve((_request, response) => void response.writeHead(401).write('x'))
    const instance = createAxios(tokensOf(), 'c', { baseURL: api, adapter, timeout: 100 })
    // Without the timeout, it would never end.
    await expect(instance.get('/')).rejects.toSatisfy(axios.isAxiosError)
  })

  test('a redirect of a DPoP request to data: is refused with an error of axios', async () => {
    const { api, start } = await dpopTokens()
    const instance = createAxios(start(), 'c', { baseURL: api.baseURL, adapter })
    const error = await instance.get('redirect', { params: { to: 'data:text/plain,evil' } }).catch((reason) => reason)
    expect(axios.isAxiosError(error)).toBe(true)
    expect(error).toMatchObject({ code: 'ERR_FR_REDIRECTION_FAILURE', message: expect.stringContaining('data:') })
  })
})

test('a proxy gets its credentials also for a request that was redirected to another origin', async () => {
  const seen: unknown[] = []
  const proxy = await serve((request, response) => {
    const { authorization, 'proxy-authorization': credentials } = request.headers
    seen.push([request.url, authorization, credentials])
    if (request.url === 'http://127.0.0.1:1/') response.writeHead(302, { location: 'http://127.0.0.1:2/' })
    response.end()
  })
  const { hostname, port } = new URL(proxy)
  const instance = createAxios(tokensOf(), 'c', {
    baseURL: 'http://127.0.0.1:1',
    proxy: { host: hostname, port: Number(port), auth: { username: 'u', password: 'p' } },
  })
  await instance.get('/')
  const credentials = `Basic ${btoa('u:p')}`
  expect(seen).toEqual([
    ['http://127.0.0.1:1/', 'Bearer t1', credentials],
    ['http://127.0.0.1:2/', undefined, credentials],
  ])
})
