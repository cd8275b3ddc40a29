import { once } from 'node:events'
import { type IncomingHttpHeaders, type IncomingMessage, type RequestOptions, request } from 'node:http'
import { createSecureServer } from 'node:http2'
import { type AddressInfo, connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { createTokenManager, type TokenManager } from '@tokenward/core'
import {
  type IdentityProvider,
  type IdentityProviderOptions,
  startIdentityProvider,
} from '@tokenward/identity-provider'
import { CLAIMS, claimsChallenge, serve, tokensOf } from '@tokenward/test-support'
import { expect, onTestFinished, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { startProxy } from '../src/proxy/proxy'
import type { ProxyOptions } from '../src/proxy/proxy-options'
import { certificate, closedOrigin } from './support'

interface Started {
  readonly to?: string
  readonly provider?: IdentityProviderOptions
  readonly dpop?: boolean
  readonly proxy?: Partial<ProxyOptions>
}

/** The proxy in front of a protected API, or of `to`. Everything ends with the test. */
async function start(options: Started = {}) {
  const provider = await startIdentityProvider(options.provider)
  onTestFinished(() => provider.close())
  const { clientId, clientSecret } = provider.client('invoice.client')
  const client = { issuer: provider.issuer, clientId, clientSecret, scope: 'invoice', dpop: options.dpop ?? false }
  const tokens = createTokenManager({ clients: { invoice: client } })
  onTestFinished(() => tokens.close())
  const proxy = await proxyFor(tokens, 'invoice', options.to ?? provider.invoice.baseURL, options.proxy)
  return { provider, proxy }
}

async function proxyFor(tokens: TokenManager, client: string, to: string, more: Partial<ProxyOptions> = {}, tls = {}) {
  const options = { to: new URL(to), host: '127.0.0.1', port: 0, allowedHosts: [], ...more }
  const proxy = await startProxy(options, { tokens, client, tls, usesEnvironmentProxy: false })
  onTestFinished(() => proxy.close())
  return proxy
}

/** Sends one request as it is written, which `fetch` does not. */
async function send(origin: string, options: RequestOptions, body?: string) {
  const { hostname, port } = new URL(origin)
  const sent = request({ hostname, port, agent: false, ...options }).end(body)
  const [response]: [IncomingMessage] = (await once(sent, 'response')) as [IncomingMessage]
  return { status: response.statusCode, headers: response.headers, body: await text(response) }
}

test('a request reaches the API with a token, below its path, and without what the caller had as credentials', async () => {
  const { provider, proxy } = await start()
  const headers = { authorization: 'Basic forged', dpop: 'forged', 'x-trace': '1', connection: 'x-hop', 'x-hop': '1' }
  const { status, body } = await send(proxy.origin, { path: '/whoami?a=1&b=%2f', headers })
  expect({ status, client: JSON.parse(body).client_id }).toEqual({
    status: 200,
    client: provider.client('invoice.client').clientId,
  })
  const [received] = provider.invoice.requests
  expect(received?.url).toBe('/invoice/whoami?a=1&b=%2f')
  expect(received?.headers).toMatchObject({ 'x-trace': '1', host: new URL(provider.invoice.origin).host })
  for (const name of ['dpop', 'x-hop']) expect(received?.headers).not.toHaveProperty(name)
})

test('the proxy answers a claims challenge, and demands of scopes that it was started with', async () => {
  const { provider } = await start()
  const { clientId, clientSecret } = provider.client('catalog.client')
  const client = { issuer: provider.issuer, clientId, clientSecret, scope: 'inventory' }
  const tokens = createTokenManager({ clients: { catalog: client } })
  onTestFinished(() => tokens.close())
  const strict = await proxyFor(tokens, 'catalog', provider.catalog.baseURL)
  expect((await fetch(`${strict.origin}/list`)).status).toBe(403)
  const proxy = await proxyFor(tokens, 'catalog', provider.catalog.baseURL, { stepUpScopes: ['catalog'] })
  const echo = await fetch(`${proxy.origin}/echo`, { method: 'POST', body: 'paid' })
  expect([echo.status, ((await echo.json()) as { text: string }).text]).toEqual([200, 'paid'])
  provider.catalog.faults.fail(1, claimsChallenge())
  expect((await fetch(`${proxy.origin}/echo`, { method: 'POST', body: 'paid' })).status).toBe(200)
  expect(provider.tokenRequests.map(({ scope, parameters }) => [scope, parameters.claims])).toEqual([
    ['inventory', undefined],
    ['inventory catalog', undefined],
    ['inventory catalog', CLAIMS],
  ])
})

test('after a revocation, the body is sent once more with a new token', async () => {
  const { provider, proxy } = await start()
  const post = () => fetch(`${proxy.origin}/echo`, { method: 'POST', body: 'paid'.repeat(1_000) })
  expect((await post()).status).toBe(200)
  provider.revokeIssued()
  const response = await post()
  expect(response.status).toBe(200)
  expect(await response.json()).toMatchObject({ method: 'POST', length: 4_000 })
  expect(provider.tokenRequests).toHaveLength(2)
  expect(provider.invoice.requests.map(({ status }) => status)).toEqual([200, 401, 200])
})

test('across expiries, each request has a token that is valid', async () => {
  const { provider, proxy } = await start({ provider: { tokenLifetimeSeconds: 3 } })
  // The server counts whole seconds, so a new token lives for two at least.
  while (provider.tokenRequests.length < 3) {
    const response = await fetch(`${proxy.origin}/list`)
    expect(response.status).toBe(200)
    await response.arrayBuffer()
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
})

test('a DPoP client: each request has a proof of its own', async () => {
  const { provider, proxy } = await start({ dpop: true, provider: { requiresDPoP: true } })
  for (let call = 0; call < 3; call++) expect((await fetch(`${proxy.origin}/list`)).status).toBe(200)
  expect(new Set(provider.invoice.requests.map(({ headers }) => headers.dpop)).size).toBe(3)
})

test('a response is passed on while it comes, and a request of unknown length too', async () => {
  const origin = await serve(async (received, response) => {
    response.writeHead(200, { 'content-type': 'text/plain' })
    // What it gets, it sends back at once.
    for await (const chunk of received) response.write(String(chunk).toUpperCase())
    response.end()
  })
  const proxy = await proxyFor(tokensOf(), 'c', origin)
  const { hostname, port } = new URL(proxy.origin)
  const sent = request({ hostname, port, method: 'POST', path: '/talk' })
  sent.write('first')
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  expect(String((await once(response, 'data'))[0])).toBe('FIRST')
  sent.write('second')
  expect(String((await once(response, 'data'))[0])).toBe('SECOND')
  sent.end()
  await once(response, 'end')
})

test('a body that is too long to be kept is forwarded, and its 401 goes to the caller', async () => {
  const { provider, proxy } = await start()
  const body = 'x'.repeat(3 * 1024 * 1024)
  const post = () => fetch(`${proxy.origin}/echo`, { method: 'POST', body })
  expect(await (await post()).json()).toMatchObject({ length: body.length })
  provider.revokeIssued()
  expect((await post()).status).toBe(401)
  expect((await post()).status).toBe(200)
})

test('a redirect below the API leads to the proxy again, and another one away from it', async () => {
  const { provider, proxy } = await start()
  const location = async (to: string) =>
    (await send(proxy.origin, { path: `/redirect?to=${encodeURIComponent(to)}` })).headers.location
  expect(await location('/invoice/list?page=2')).toBe('/list?page=2')
  expect(await location(`${provider.invoice.origin}/invoice/list`)).toBe('/list')
  expect(await location('/invoice//evil.example/x')).toBe(`${provider.invoice.origin}/invoice//evil.example/x`)
  expect(await location('/elsewhere')).toBe(`${provider.invoice.origin}/elsewhere`)
  expect(await location('https://evil.example/x')).toBe('https://evil.example/x')
})

test('an API without a content: HEAD, 204 and 304 end', async () => {
  const { proxy } = await start()
  expect((await send(proxy.origin, { path: '/list', method: 'HEAD' })).body).toBe('')
  expect((await send(proxy.origin, { path: '/status/204' })).status).toBe(204)
  expect((await send(proxy.origin, { path: '/status/304' })).status).toBe(304)
})

test('when no token can be had, the response says so, names no secret, and the API gets no request', async () => {
  const { provider, proxy } = await start()
  provider.tokenEndpointFaults.fail(10, { status: 503, headers: { 'retry-after': '120' } })
  const { status, headers, body } = await send(proxy.origin, { path: '/list' })
  expect(status).toBe(503)
  expect(headers).toMatchObject({ 'tokenward-error': 'token', 'retry-after': expect.stringMatching(/^\d+$/) })
  expect(JSON.parse(body)).toMatchObject({ error: expect.any(String), message: expect.stringContaining('503') })
  expect(body).not.toContain(provider.client('invoice.client').clientSecret)
  expect(provider.invoice.requests).toHaveLength(0)
})

test('an API that does not respond is a 502 that names the cause', async () => {
  const proxy = await proxyFor(tokensOf(), 'c', await closedOrigin())
  const { status, headers, body } = await send(proxy.origin, { path: '/list' })
  expect({ status, at: headers['tokenward-error'], ...JSON.parse(body) }).toEqual({
    status: 502,
    at: 'api',
    error: 'ECONNREFUSED',
    message: 'the API did not respond (ECONNREFUSED)',
  })
})

test('a response that breaks off breaks off for the caller too', async () => {
  const origin = await serve((_request, response) => {
    response.writeHead(200, { 'content-length': '1000' })
    response.write('half', () => response.destroy())
  })
  const proxy = await proxyFor(tokensOf(), 'c', origin)
  await expect(fetch(`${proxy.origin}/list`).then((response) => response.text())).rejects.toThrow()
})

test('a caller that gives up ends its request at the API', async () => {
  let given = () => {}
  const isGivenUp = new Promise<void>((resolve) => {
    given = resolve
  })
  let arrived = () => {}
  const hasArrived = new Promise<void>((resolve) => {
    arrived = resolve
  })
  const origin = await serve((_request, response) => {
    response.once('close', () => given())
    arrived()
  })
  const proxy = await proxyFor(tokensOf(), 'c', origin)
  const controller = new AbortController()
  const call = fetch(`${proxy.origin}/never`, { signal: controller.signal }).catch(() => {})
  await hasArrived
  controller.abort()
  await Promise.all([call, isGivenUp])
})

test.each<[what: string, options: RequestOptions, status: number]>([
  ['an absolute URL', { path: 'http://evil.example/list' }, 400],
  ['a path that names a host', { path: '//evil.example/list' }, 400],
  ['dots that lead out of the path', { path: '/../catalog/list' }, 400],
  ['escaped dots that lead out of the path', { path: '/%2e%2e/catalog/list' }, 400],
  ['a DNS name that leads to this machine', { path: '/list', headers: { host: 'evil.example' } }, 403],
  ['a web page', { path: '/list', headers: { origin: 'https://evil.example' } }, 403],
  ['a web page in a sandbox', { path: '/list', headers: { origin: 'null' } }, 403],
  ['a request without an Origin of a web page', { path: '/list', headers: { 'sec-fetch-site': 'cross-site' } }, 403],
])('%s is refused, and nothing is sent', async (_what, options, expected) => {
  const { provider, proxy } = await start()
  const { status, headers } = await send(proxy.origin, options)
  expect({ status, at: headers['tokenward-error'] }).toEqual({ status: expected, at: 'request' })
  expect(provider.invoice.requests).toHaveLength(0)
  expect(provider.tokenRequests).toHaveLength(0)
  expect((await send(proxy.origin, { path: '/list' })).status).toBe(200)
})

test('a WebSocket of a web page is refused, and nothing is sent', async () => {
  const { provider, proxy } = await start()
  const socket = new WebSocket(proxy.origin.replace('http', 'ws'), { origin: 'https://evil.example' })
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage]
  expect(response.statusCode).toBe(403)
  expect(provider.tokenRequests).toHaveLength(0)
})

test('--allow-host lets callers use that name', async () => {
  const { proxy } = await start({ proxy: { allowedHosts: ['sidecar.internal'] } })
  expect((await send(proxy.origin, { path: '/list', headers: { host: 'sidecar.internal:80' } })).status).toBe(200)
})

/** An API with WebSockets. The protected API decides which tokens are valid. */
async function webSocketApi(provider: IdentityProvider) {
  const received: IncomingHttpHeaders[] = []
  const server = new WebSocketServer({
    port: 0,
    host: '127.0.0.1',
    verifyClient({ req: { headers } }, decide) {
      received.push(headers)
      const { authorization = '' } = headers
      void fetch(`${provider.invoice.baseURL}test`, { headers: { authorization } }).then(({ status }) =>
        decide(status === 200, status),
      )
    },
  })
  server.on('connection', (socket) => socket.on('message', (data) => socket.send(`echo ${data}`)))
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of server.clients) socket.terminate()
    server.close()
  })
  return { received, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

test('a WebSocket gets a token when it is opened, and a new one after a revocation', async () => {
  const { provider } = await start()
  const api = await webSocketApi(provider)
  const { clientId, clientSecret } = provider.client('invoice.client')
  const tokens = createTokenManager({
    clients: { c: { issuer: provider.issuer, clientId, clientSecret, scope: 'invoice' } },
  })
  onTestFinished(() => tokens.close())
  const proxy = await proxyFor(tokens, 'c', api.origin)
  const talk = async () => {
    const socket = new WebSocket(`${proxy.origin.replace('http', 'ws')}/feed`)
    await once(socket, 'open')
    socket.send('hello')
    const [data] = await once(socket, 'message')
    socket.close()
    await once(socket, 'close')
    return String(data)
  }
  expect(await talk()).toBe('echo hello')
  provider.revokeIssued()
  expect(await talk()).toBe('echo hello')
  const used = api.received.map(({ authorization }) => authorization)
  expect(used).toHaveLength(3)
  expect(used[0]).toBe(used[1])
  expect(used[2]).not.toBe(used[1])
})

test('an API that refuses a WebSocket: the caller gets its response', async () => {
  const origin = await serve((_request, response) => response.writeHead(403, { 'x-why': 'quota' }).end('no'))
  const proxy = await proxyFor(tokensOf(), 'c', origin)
  const socket = new WebSocket(proxy.origin.replace('http', 'ws'))
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage]
  expect({ status: response.statusCode, why: response.headers['x-why'], body: await text(response) }).toEqual({
    status: 403,
    why: 'quota',
    body: 'no',
  })
})

test('a WebSocket to an API that does not respond is a 502', async () => {
  const proxy = await proxyFor(tokensOf(), 'c', await closedOrigin())
  const socket = new WebSocket(proxy.origin.replace('http', 'ws'))
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage]
  expect(response.statusCode).toBe(502)
  expect(response.headers['tokenward-error']).toBe('api')
})

test('HTTP/2 is used where the API has it, with the trust that the client has', async () => {
  const versions: string[] = []
  const { cert, key } = await certificate()
  const server = createSecureServer({ cert, key, allowHTTP1: true }, (received, response) => {
    versions.push(`${received.httpVersion} ${received.headers.authorization}`)
    received.resume().on('end', () => response.writeHead(200, { 'x-a': 'b' }).end('two'))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const to = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  const proxy = await proxyFor(tokensOf(), 'c', to, {}, { ca: [cert] })
  expect(await (await fetch(`${proxy.origin}/a`)).text()).toBe('two')
  expect(await (await fetch(`${proxy.origin}/b`, { method: 'POST', body: 'x' })).text()).toBe('two')
  expect(versions).toEqual(['2.0 Bearer t1', '2.0 Bearer t1'])
  const untrusting = await proxyFor(tokensOf(), 'c', to)
  expect((await fetch(`${untrusting.origin}/a`)).status).toBe(502)
})

test('readiness: whether a token can be had', async () => {
  const { provider, proxy } = await start()
  const ready = () => fetch(`${proxy.origin}/.tokenward/ready`)
  expect((await ready()).status).toBe(204)
  expect(provider.invoice.requests).toHaveLength(0)
  const failing = await start()
  failing.provider.tokenEndpointFaults.fail(10, { status: 400, body: { error: 'invalid_client' } })
  const response = await fetch(`${failing.proxy.origin}/.tokenward/ready`)
  expect(response.status).toBe(503)
  expect(await response.json()).toMatchObject({ error: 'invalid_client' })
})

test('close: requests under way end, and new ones are refused', async () => {
  let respond = () => {}
  let arrived = () => {}
  const hasArrived = new Promise<void>((resolve) => {
    arrived = resolve
  })
  const origin = await serve((_request, response) => {
    respond = () => response.end('late')
    arrived()
  })
  const proxy = await proxyFor(tokensOf(), 'c', origin)
  const call = fetch(`${proxy.origin}/slow`).then((response) => response.text())
  await hasArrived
  const closed = proxy.close()
  await expect(send(proxy.origin, { path: '/next' })).rejects.toThrow('ECONNREFUSED')
  respond()
  expect(await call).toBe('late')
  await closed
})

test('a caller that sends no HTTP harms nobody', async () => {
  const { proxy } = await start()
  const socket = connect(Number(new URL(proxy.origin).port), '127.0.0.1')
  socket.end('CONNECT evil.example:443 HTTP/1.1\r\nhost: evil.example\r\n\r\n')
  socket.resume()
  await once(socket, 'close')
  expect((await fetch(`${proxy.origin}/list`)).status).toBe(200)
})
