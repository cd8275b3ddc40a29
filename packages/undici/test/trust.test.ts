import { serve, tokensOf } from '@tokenward/test-support'
import { tokenInterceptor } from '@tokenward/undici'
import * as undici8 from 'undici'
import * as undici7 from 'undici-7'
import { describe, expect, onTestFinished, test } from 'vitest'

describe.each([
  ['7', undici7 as unknown as typeof undici8],
  ['8', undici8],
])('undici %s', (_version, undici) => {
  function agent(baseURL: string, ...more: undici8.Dispatcher.DispatcherComposeInterceptor[]) {
    const dispatcher = new undici.Agent().compose(tokenInterceptor(tokensOf(), 'c', { baseURL }), ...more)
    onTestFinished(() => dispatcher.destroy())
    return dispatcher
  }

  /** Resolves when the response has ended; rejects with what the handler is told. */
  const dispatched = (dispatcher: undici8.Dispatcher, options: object) =>
    new Promise<void>((resolve, reject) => {
      const handler: undici8.Dispatcher.DispatchHandler = {
        onRequestStart() {},
        onResponseError: (_controller, error) => reject(error),
        onResponseEnd: () => resolve(),
      }
      dispatcher.dispatch(options as undici8.Dispatcher.DispatchOptions, handler)
    })

  test('a path that begins with //host is a path of the origin, and the token goes nowhere else', async () => {
    const seen: string[] = []
    const evil = await serve((request, response) => {
      seen.push(`evil ${request.headers.authorization}`)
      response.end()
    })
    const api = await serve((request, response) => {
      seen.push(`api ${request.url}`)
      const { host } = new URL(api)
      if (request.url === '/start') response.writeHead(302, { location: `${evil}//${host}/x` }).end()
      else response.end()
    })
    const dispatcher = agent(api, undici.interceptors.redirect({ maxRedirections: 3 }))
    await expect(undici.request(`${api}/start`, { dispatcher })).rejects.toMatchObject({ code: 'origin_not_allowed' })
    await undici.request(api, { path: `//${new URL(evil).host}/x`, dispatcher } as never)
    expect(seen.filter((each) => each.startsWith('evil'))).toEqual([])
    const atEvil = undici.request(evil, { path: `//${new URL(api).host}/x`, dispatcher } as never)
    await expect(atEvil).rejects.toMatchObject({ code: 'origin_not_allowed' })
    expect(seen.filter((each) => each.startsWith('evil'))).toEqual([])
  })

  test('an absolute URL as the path is refused', async () => {
    const api = await serve((_request, response) => response.end())
    const dispatcher = agent(api)
    const dispatched = new Promise((resolve, reject) => {
      const handler = {
        onRequestStart() {},
        onResponseError: (_controller: unknown, error: Error) => reject(error),
        onResponseEnd: resolve,
      }
      dispatcher.dispatch({ origin: 'http://evil.example', path: `${api}/x`, method: 'GET' }, handler as never)
    })
    await expect(dispatched).rejects.toThrow('must begin with a slash')
  })

  test.each(['/\\', '//'])('a path that begins with %j is a path of the origin', async (start) => {
    const requests: unknown[] = []
    const api = await serve((request, response) => {
      requests.push(request.headers.authorization)
      response.end()
    })
    const evil = await serve((request, response) => {
      requests.push(`evil ${request.url}`)
      response.end()
    })
    const { host } = new URL(evil)
    const handled = dispatched(agent(api), { origin: api, path: `${start}${host}/x`, method: 'GET' })
    await handled
    expect(requests).toEqual([expect.stringMatching(/^Bearer/)])
  })

  test('a path with credentials before a host, or without a slash, is refused', async () => {
    const requests: unknown[] = []
    const api = await serve((request, response) => {
      requests.push(request.url)
      response.end()
    })
    for (const path of ['@evil.example/x', '.evil.example/x', 'https://evil.example/x', '*', '']) {
      const handled = dispatched(agent(api), { origin: api, path, method: 'GET' })
      await expect(handled).rejects.toMatchObject({ code: 'invalid_configuration' })
    }
    await expect(dispatched(agent(api), { path: '/x', method: 'GET' })).rejects.toMatchObject({
      problems: [{ client: 'c', option: 'origin' }],
    })
    expect(requests).toEqual([])
  })

  test('three calls at once that share a URL object go where it led at the time of each call', async () => {
    const seen: unknown[] = []
    const api = await serve((request, response) => {
      seen.push(request.url)
      response.end()
    })
    const dispatcher = agent(api)
    const url = new URL('/list', api)
    const calls = [1, 2, 3].map((page) => {
      url.searchParams.set('page', String(page))
      return undici.request(url, { dispatcher })
    })
    url.host = 'evil.example'
    await Promise.all(calls.map(async (call) => (await call).body.dump()))
    expect(seen.sort()).toEqual(['/list?page=1', '/list?page=2', '/list?page=3'])
  })

  test('what the caller changes while the token is requested changes nothing', async () => {
    const seen: unknown[] = []
    const api = await serve(async (request, response) => {
      let body = ''
      for await (const chunk of request) body += chunk
      seen.push([request.url, request.headers['x-a'], body])
      response.end()
    })
    const dispatcher = agent(api)
    const headers = { 'x-a': '1' }
    const query = { page: 1 }
    const body = Buffer.from('first')
    const call = undici.request(`${api}/p`, { dispatcher, method: 'POST', headers, query, body })
    headers['x-a'] = '2'
    query.page = 2
    body.fill('x')
    await (await call).body.dump()
    expect(seen).toEqual([['/p?page=1', '1', 'first']])
  })

  test('a HEAD request that gets a 401 ends, and is sent again', async () => {
    let requests = 0
    const api = await serve((_request, response) => response.writeHead(++requests % 2 ? 401 : 200).end())
    const dispatcher = agent(api)
    expect((await undici.request(api, { dispatcher, method: 'HEAD' })).statusCode).toBe(200)
    const always = await serve((_request, response) => response.writeHead(401).end())
    expect((await undici.request(always, { dispatcher: agent(always), method: 'HEAD' })).statusCode).toBe(401)
  })

  test('a 401 whose body never ends does not delay the second request', async () => {
    let requests = 0
    const api = await serve((_request, response) => {
      if (++requests > 1) return response.end('ok')
      response.writeHead(401)
      return response.write('never ends')
    })
    const { body } = await undici.request(api, { dispatcher: agent(api) })
    expect(await body.text()).toBe('ok')
  })

  test.each([401, 200])(
    'a handler that throws when it gets a %d fails its request, not the process',
    async (status) => {
      const api = await serve((_request, response) => response.writeHead(status).end('body'))
      const dispatcher = agent(api)
      const failed = new Promise<Error>((resolve) => {
        const handler = {
          onRequestStart() {},
          onResponseStart() {
            throw new Error('the handler failed')
          },
          onResponseError: (_controller: unknown, error: Error) => resolve(error),
        }
        dispatcher.dispatch({ origin: api, path: '/', method: 'GET' }, handler as never)
      })
      expect((await failed).message).toBe('the handler failed')
    },
  )

  test.each(['onRequestStart', 'onResponseStart', 'onResponseData', 'onResponseEnd', 'onResponseError'])(
    'a handler whose %s and onResponseError throw does not end the process',
    async (name) => {
      const api = await serve((_request, response) => response.writeHead(401).end('body'))
      const dispatcher = agent(api)
      const thrown: string[] = []
      await new Promise<void>((resolve) => {
        const fail = (callback: string) => () => {
          thrown.push(callback)
          if (callback === 'onResponseError') setTimeout(resolve, 20)
          throw new Error('the handler failed')
        }
        const handler = { onRequestStart() {}, onResponseError: fail('onResponseError'), [name]: fail(name) }
        const request = { origin: name === 'onResponseError' ? 'http://127.0.0.1:1' : api, path: '/', method: 'GET' }
        dispatcher.dispatch(request as never, handler as never)
      })
      expect(thrown).toEqual(name === 'onResponseError' ? [name] : [name, 'onResponseError'])
    },
  )

  test('an API at plain http on another host is refused', () => {
    expect(() => tokenInterceptor(tokensOf(), 'c', { baseURL: 'http://api.example' })).toThrow('plain http')
    expect(() => tokenInterceptor({} as never, 'c' as never, { baseURL: 'https://api.example' })).toThrow(
      'getAccessToken',
    )
  })
})
