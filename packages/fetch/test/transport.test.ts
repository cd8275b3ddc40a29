import { createFetch } from '@tokenward/fetch'
import { dpopTokens, serve, tokensOf } from '@tokenward/test-support'
import { expect, test } from 'vitest'

test('a Request as the options is read as the platform reads it', async () => {
  const seen: unknown[] = []
  const api = await serve(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    seen.push([request.method, request.url, request.headers['x-a'], body])
    response.end()
  })
  const call = createFetch(tokensOf(), 'c', { baseURL: api })
  const init = new Request('https://other.example', { method: 'PUT', headers: { 'x-a': '1' }, body: 'text' })
  await call('items', init as never)
  expect(seen).toEqual([['PUT', '/items', '1', 'text']])
})

test('a method is sent as the platform sends it, and the proof names that method', async () => {
  const { api, start } = await dpopTokens()
  const call = createFetch(start(), 'c', { baseURL: api.baseURL })
  const methods: unknown[] = []
  const own = createFetch(start(), 'c', {
    baseURL: api.baseURL,
    fetch: (input, init) => {
      const [, claims = ''] = String(new Headers(init?.headers).get('dpop')).split('.')
      methods.push([init?.method, JSON.parse(Buffer.from(claims, 'base64url').toString()).htm])
      return fetch(input, init)
    },
  })
  expect((await call('echo', { method: 'post', body: 'x' })).status).toBe(200)
  await own('echo', { method: 'patch', body: 'x' }).catch(() => undefined)
  await own('echo', { method: 'delete' })
  expect(methods).toEqual([
    ['patch', 'patch'],
    ['DELETE', 'DELETE'],
  ])
})

test('a transport that keeps the headers sees one object for each attempt', async () => {
  const kept: Headers[] = []
  let requests = 0
  const call = createFetch(tokensOf(), 'c', {
    baseURL: 'https://api.example',
    fetch: async (_input, init) => {
      kept.push(init?.headers as Headers)
      return new Response(null, { status: ++requests === 1 ? 401 : 200 })
    },
  })
  await call('/', { headers: { 'x-a': '1' } })
  expect(kept.map((headers) => headers.get('authorization'))).toEqual(['Bearer t1', 'Bearer t2'])
})

test('a redirect of the platform to another origin carries no credentials, whoever set them', async () => {
  const seen: unknown[] = []
  const other = await serve((request, response) => {
    const { authorization, cookie, 'proxy-authorization': proxy, 'x-a': own } = request.headers
    seen.push({ authorization, cookie, proxy, own })
    response.end()
  })
  const api = await serve((_request, response) => response.writeHead(302, { location: other }).end())
  const headers = { cookie: 'session=1', 'proxy-authorization': 'Basic x', 'x-a': '1' }
  await createFetch(tokensOf(), 'c', { baseURL: api })('/', { headers })
  expect(seen).toEqual([{ own: '1' }])
})

test.each(['drips', 'has no end'])('a dropped 401 whose body %s loses its connection within seconds', async (how) => {
  let requests = 0
  let closed = false
  const api = await serve((_request, response) => {
    if (++requests > 1) return response.end('ok')
    response.writeHead(401)
    const chunk = Buffer.alloc(how === 'drips' ? 1 : 64 * 1024)
    const timer = setInterval(() => response.write(chunk), 20)
    return response.once('close', () => {
      clearInterval(timer)
      closed = true
    })
  })
  expect((await createFetch(tokensOf(), 'c', { baseURL: api })('/')).status).toBe(200)
  await expect.poll(() => closed).toBe(true)
})

test('a redirect that is refused does not keep its connection', async () => {
  const { start } = await dpopTokens()
  let closed = false
  const api = await serve((_request, response) => {
    response.writeHead(302, { location: 'data:text/plain,evil' }).write('x')
    response.once('close', () => {
      closed = true
    })
  })
  const call = createFetch(start(), 'c', { baseURL: api })
  await expect(call('/')).rejects.toThrow('not http(s)')
  await expect.poll(() => closed).toBe(true)
})

test('a redirect to plain http on another host carries no token', async () => {
  const { start, api } = await dpopTokens()
  const sent: unknown[] = []
  const call = createFetch(start(), 'c', {
    baseURL: api.baseURL,
    fetch: (input, init) => {
      const headers = new Headers(init?.headers)
      sent.push([String(input), headers.has('authorization'), headers.has('dpop')])
      if (String(input).startsWith('http://api.example')) return Promise.resolve(new Response())
      return fetch(input, init)
    },
  })
  await call(`redirect?to=${encodeURIComponent('http://api.example/x')}`)
  expect(sent.at(-1)).toEqual(['http://api.example/x', false, false])
})

test('a transport may have read the body of a 401 that is dropped', async () => {
  let requests = 0
  const call = createFetch(tokensOf(), 'c', {
    baseURL: 'https://api.example',
    fetch: async () => {
      if (++requests > 1) return new Response('ok')
      const response = new Response('no', { status: 401 })
      response.body?.getReader()
      return response
    },
  })
  expect(await (await call('/')).text()).toBe('ok')
})
