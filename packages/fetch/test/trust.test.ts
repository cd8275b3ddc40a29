import { createFetch } from '@tokenward/fetch'
import { dpopTokens, serve, tokensOf } from '@tokenward/test-support'
import { expect, test } from 'vitest'

test('three calls that share one URL object send what it was at each call', async () => {
  const seen: (string | undefined)[] = []
  const api = await serve((request, response) => {
    seen.push(request.url)
    response.end()
  })
  const call = createFetch(tokensOf(), 'c', { baseURL: api })
  const url = new URL(`${api}/items`)
  const calls = [1, 2, 3].map((page) => {
    url.searchParams.set('page', String(page))
    return call(url)
  })
  url.host = 'evil.example'
  await Promise.all(calls)
  expect(seen.sort()).toEqual(['/items?page=1', '/items?page=2', '/items?page=3'])
})

test('headers, options and bodies are taken at the call', async () => {
  const seen: unknown[] = []
  const api = await serve(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    seen.push([request.method, request.headers['x-a'], body])
    response.end()
  })
  const call = createFetch(tokensOf(), 'c', { baseURL: api })
  const headers = new Headers({ 'x-a': '1' })
  const bytes = new TextEncoder().encode('bytes')
  const form = new URLSearchParams({ a: '1' })
  const init: RequestInit = { method: 'POST', headers, body: bytes }
  const calls = [call('/', init), call('/', { method: 'PUT', headers, body: form })]
  headers.set('x-a', '2')
  bytes.fill(0)
  form.set('a', '2')
  init.method = 'DELETE'
  await Promise.all(calls)
  expect(seen.sort()).toEqual([
    ['POST', '1', 'bytes'],
    ['PUT', '1', 'a=1'],
  ])
})

test.each(['drips', 'never ends'])('a 401 whose body %s does not delay the second request', async (how) => {
  let requests = 0
  const api = await serve((_request, response) => {
    if (++requests > 1) return response.end('ok')
    response.writeHead(401)
    response.write('x')
    if (how === 'drips') {
      const timer = setInterval(() => response.write('x'), 50)
      response.on('close', () => clearInterval(timer))
    }
    return undefined
  })
  const response = await createFetch(tokensOf(), 'c', { baseURL: api })('/')
  expect(await response.text()).toBe('ok')
})

test('a redirect of a DPoP request to another origin carries no credentials, whoever set them', async () => {
  const { api, start } = await dpopTokens()
  const seen: unknown[] = []
  const other = await serve((request, response) => {
    const { authorization, dpop, cookie, 'proxy-authorization': proxy, 'x-a': own } = request.headers
    seen.push({ authorization, dpop, cookie, proxy, own })
    response.end()
  })
  const call = createFetch(start(), 'c', { baseURL: api.baseURL })
  const headers = { cookie: 'session=1', 'proxy-authorization': 'Basic x', 'x-a': '1' }
  const redirected = await call(`redirect?to=${encodeURIComponent(other)}`, { headers })
  expect(redirected.status).toBe(200)
  expect(seen).toEqual([{ own: '1' }])
})

test('a redirect of a DPoP request to data: is refused', async () => {
  const { api, start } = await dpopTokens()
  const call = createFetch(start(), 'c', { baseURL: api.baseURL })
  await expect(call(`redirect?to=${encodeURIComponent('data:text/plain,evil')}`)).rejects.toThrow('not http(s)')
})

test('removing the client while a DPoP request is under way keeps the response', async () => {
  const { api, start } = await dpopTokens()
  const tokens = start()
  api.noncePolicy = 'rotated'
  const call = createFetch(tokens, 'c', { baseURL: api.baseURL })
  await call('test')
  api.faults.delayMs = 100
  const response = call('test')
  const requests = api.requests.length
  while (api.requests.length === requests) await new Promise((resolve) => setImmediate(resolve))
  tokens.removeClient('c')
  expect((await response).status).toBe(200)
})

test('what cannot be right is a ConfigurationError: no token manager, plain http, a relative URL without a base', async () => {
  const invalid = { code: 'invalid_configuration' }
  const thrown = (run: () => unknown) => {
    try {
      run()
    } catch (error) {
      return error
    }
    return undefined
  }
  expect(thrown(() => createFetch({} as never, 'c' as never, { baseURL: 'https://a.example' }))).toMatchObject(invalid)
  expect(thrown(() => createFetch(tokensOf(), 'c', { baseURL: 'http://a.example' }))).toMatchObject(invalid)
  const call = createFetch(tokensOf(), 'c', { allowedOrigins: ['https://a.example'] })
  await expect(call('items')).rejects.toMatchObject(invalid)
})
