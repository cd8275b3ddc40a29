import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { createTokenManager } from '@tokenward/core'
import { tokenInterceptor } from '@tokenward/undici'
import * as undici8 from 'undici'
import * as undici7 from 'undici-7'
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

describe.each([
  ['7', undici7 as unknown as typeof undici8],
  ['8', undici8],
])('undici %s', (_version, undici) => {
  function agent(baseURL: string, ...more: undici8.Dispatcher.DispatcherComposeInterceptor[]) {
    const dispatcher = new undici.Agent().compose(tokenInterceptor(tokensOf(), 'c', { baseURL }), ...more)
    onTestFinished(() => dispatcher.destroy())
    return dispatcher
  }

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

  test('an API at plain http on another host is refused', () => {
    expect(() => tokenInterceptor(tokensOf(), 'c', { baseURL: 'http://api.example' })).toThrow('plain http')
    expect(() => tokenInterceptor({} as never, 'c' as never, { baseURL: 'https://api.example' })).toThrow(
      'getAccessToken',
    )
  })
})
