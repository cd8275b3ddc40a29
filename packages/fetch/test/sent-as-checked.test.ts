import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import { type ClientDefinition, createTokenManager } from '@tokenward/core'
import { createFetch } from '@tokenward/fetch'
import { decodeJwt } from 'jose'
import { expect, onTestFinished, test, vi } from 'vitest'

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
  return { origin: `http://127.0.0.1:${port}`, requests }
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

test('three calls at once that share a URL object go where it led at the time of each call', async () => {
  const api = await startServer((_request, response) => response.end())
  const catalog = createFetch(startTokens(), 'c', { baseURL: api.origin })
  const url = new URL('/list', api.origin)
  const calls = [1, 2, 3].map((page) => {
    url.searchParams.set('page', String(page))
    return catalog(url)
  })
  url.host = 'evil.example'
  await Promise.all(calls)
  expect(api.requests.map((request) => request.url).sort()).toEqual(['/list?page=1', '/list?page=2', '/list?page=3'])
})

const BODIES: [kind: string, create: () => [body: BodyInit, change: () => void]][] = [
  [
    'URLSearchParams',
    () => {
      const body = new URLSearchParams({ a: 'first' })
      return [body, () => body.set('a', 'changed')]
    },
  ],
  [
    'an ArrayBuffer',
    () => {
      const body = new TextEncoder().encode('a=first')
      return [body.buffer, () => body.fill(0)]
    },
  ],
  [
    'a typed array',
    () => {
      const body = new TextEncoder().encode('a=first')
      return [body, () => body.fill(0)]
    },
  ],
]

test.each(BODIES)('headers, options and a body of %s that change after the call change nothing', async (_, create) => {
  const seen: unknown[] = []
  const api = await startServer(async (request, response) => {
    let text = ''
    for await (const chunk of request) text += chunk
    seen.push([request.method, request.headers['x-a'], text])
    response.end()
  })
  const catalog = createFetch(startTokens(), 'c', { baseURL: api.origin })
  for (const input of ['x', new Request(`${api.origin}/x`)]) {
    const [body, change] = create()
    const headers = new Headers({ 'x-a': '1' })
    const init = { method: 'POST', headers, body }
    const call = catalog(input, init)
    headers.set('x-a', '2')
    change()
    Object.assign(init, { method: 'DELETE', headers: {}, body: 'other' })
    await call
  }
  expect(seen).toEqual(Array(2).fill(['POST', '1', 'a=first']))
})

test.each(['never ends', 'is longer than anybody reads'])(
  'a 401 whose body %s does not delay the second request, and its connection is closed',
  async (kind) => {
    const api = await startServer((request, response) => {
      if (request.headers.authorization === 'Bearer t2') return response.end('ok')
      response.writeHead(401)
      return kind === 'never ends' ? response.write('x') : response.end('x'.repeat(100_000_000))
    })
    const catalog = createFetch(startTokens(), 'c', { baseURL: api.origin })
    // The time after which a slow body is cut off does not pass before the second request has its response.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    expect(await (await catalog('x')).text()).toBe('ok')
    const rejected = api.requests[0]?.socket
    if (kind === 'never ends') {
      expect(rejected?.destroyed).toBe(false)
      vi.advanceTimersByTime(1_000)
    }
    await expect.poll(() => rejected?.destroyed).toBe(true)
  },
)

const CREDENTIALS = { cookie: 'session=1', 'proxy-authorization': 'Basic x', dpop: 'of the caller' }

test.each(['Bearer', 'DPoP'])('a redirect of a %s request to another origin carries no credentials', async (type) => {
  const elsewhere = await startServer((_request, response) => response.end())
  const api = await startServer((_request, response) =>
    response.writeHead(302, { location: `${elsewhere.origin}/x` }).end(),
  )
  const catalog = createFetch(startTokens({ dpop: type === 'DPoP' }), 'c', { baseURL: api.origin })
  const headers = { ...CREDENTIALS, host: 'api.example', 'x-trace': '1' }
  expect((await catalog('x', { headers })).status).toBe(200)
  const [sent] = elsewhere.requests
  expect(sent?.headers['x-trace']).toBe('1')
  expect(`${elsewhere.origin}`).toBe(`http://${sent?.headers.host}`)
  for (const name of ['authorization', 'cookie', 'proxy-authorization', 'dpop']) {
    expect([name, sent?.headers[name]]).toEqual([name, undefined])
  }
})

test('a redirect of a DPoP request within the origin keeps the cookie', async () => {
  const api = await startServer((request, response) =>
    request.url === '/x' ? response.writeHead(302, { location: '/y' }).end() : response.end(),
  )
  const catalog = createFetch(startTokens({ dpop: true }), 'c', { baseURL: api.origin })
  await catalog('x', { headers: { cookie: 'session=1' } })
  expect(api.requests.map(({ url, headers }) => [url, headers.cookie])).toEqual([
    ['/x', 'session=1'],
    ['/y', 'session=1'],
  ])
})

test.each(['data:text/plain,x', 'file:///etc/passwd', 'blob:http://127.0.0.1/x'])(
  'a redirect to %s is refused',
  async (location) => {
    const api = await startServer((_request, response) => response.writeHead(302, { location }).end('moved'))
    for (const dpop of [true, false]) {
      const catalog = createFetch(startTokens({ dpop }), 'c', { baseURL: api.origin })
      await expect(catalog('x')).rejects.toBeInstanceOf(TypeError)
    }
  },
)

test('plain http to another host is refused: at creation, by a URL, and behind a redirect', async () => {
  const plain = { allowedOrigins: ['http://api.example'] }
  expect(() => createFetch(startTokens(), 'c', { baseURL: 'http://api.example' })).toThrow('plain http')
  expect(() => createFetch(startTokens(), 'c', plain)).toThrow('plain http')
  const tokens = createTokenManager({
    clients: { c: async () => ({ tokenEndpoint: 'https://as.example/token', clientId: 'id', clientSecret: 's' }) },
  })
  onTestFinished(() => tokens.close())
  const late = createFetch(tokens, 'c', plain)
  await expect(late('http://api.example/x')).rejects.toMatchObject({ code: 'origin_not_allowed' })
})

test("an API's response is not lost when its client is removed meanwhile", async () => {
  const tokens = startTokens({ dpop: true })
  const api = await startServer((_request, response) => {
    tokens.removeClient('c')
    response.writeHead(200, { 'dpop-nonce': 'n1' }).end('saved')
  })
  const response = await createFetch(tokens, 'c', { baseURL: api.origin })('x', { method: 'POST' })
  expect([response.status, await response.text()]).toEqual([200, 'saved'])
})

test('what is no token manager, and a relative URL without a base URL, are configuration errors', async () => {
  expect(() => createFetch({} as never, 'c' as never, { baseURL: 'https://api.example' })).toThrow(
    expect.objectContaining({ code: 'invalid_configuration' }),
  )
  const catalog = createFetch(startTokens(), 'c', { allowedOrigins: ['https://api.example'] })
  await expect(catalog('list?secret=s')).rejects.toMatchObject({
    code: 'invalid_configuration',
    problems: [{ client: 'c', option: 'baseURL' }],
  })
})

test('the options of a client and of a call are those of their time, whatever their owner does with them later', async () => {
  const scopes: (string | undefined)[] = []
  const tokens = createTokenManager({
    clients: { c: { tokenEndpoint: 'https://as.example/token', clientId: 'id', clientSecret: 's', dpop: true } },
    requester: {
      async request(_client, { scope }) {
        scopes.push(scope)
        return { access_token: `t${scopes.length}`, token_type: 'DPoP', expires_in: 60 }
      },
    },
  })
  onTestFinished(() => tokens.close())
  const api = await startServer((_request, response) => response.writeHead(401).end())
  const options = {
    baseURL: api.origin,
    tokenParameters: { scope: 'read' },
    retryOn401: false,
    proofClaims: { tenant: { id: 'first' } },
  }
  const catalog = createFetch(tokens, 'c', options)
  options.tokenParameters.scope = 'admin'
  options.retryOn401 = true
  options.proofClaims.tenant.id = 'changed'
  expect((await catalog('one')).status).toBe(401)
  const call = { proofClaims: { tenant: { id: 'second' } } }
  const called = catalog('two', call)
  call.proofClaims.tenant.id = 'changed'
  await called
  expect(api.requests.map(({ url }) => url)).toEqual(['/one', '/two'])
  expect(new Set(scopes)).toEqual(new Set(['read']))
  const tenants = api.requests.map(
    ({ headers }) => decodeJwt<{ tenant: { id: string } }>(String(headers.dpop)).tenant.id,
  )
  expect(tenants).toEqual(['first', 'second'])
})

test('claims of a proof that JSON cannot express are refused by name', async () => {
  const proofClaims = { amount: 1n }
  const options = { baseURL: 'https://api.example' }
  expect(() => createFetch(startTokens(), 'c', { ...options, proofClaims })).toThrow(/'c'.*proofClaims/s)
  await expect(createFetch(startTokens(), 'c', options)('items', { proofClaims })).rejects.toMatchObject({
    code: 'invalid_configuration',
  })
})

test('a 401 of a transport that names an odd URL reaches the caller', async () => {
  const odd = Object.defineProperty(new Response('no', { status: 401 }), 'url', { value: 'not a URL' })
  // A mock: a platform's response always has a URL.
  const catalog = createFetch(startTokens(), 'c', { baseURL: 'https://api.example', fetch: async () => odd })
  const response = await catalog('items')
  expect([response.status, await response.text()]).toEqual([401, 'no'])
})
