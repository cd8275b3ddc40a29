import { once } from 'node:events'
import { createTokenManager, OriginNotAllowedError } from '@tokenward/core'
import { until } from '@tokenward/local-servers'
import { catalogTokens, dpopTokens, SkippableClock, tokensOf } from '@tokenward/test-support'
import { connectWebSocket, type WebSocketOptions, WebSocketUpgradeError } from '@tokenward/websocket'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { WebSocket } from 'ws'
import { startStreamServer } from './stream-server'

async function setup(clock?: SkippableClock) {
  const { provider, tokens } = await catalogTokens(undefined, { clock })
  const server = await startStreamServer(provider)
  const connect = (options?: WebSocketOptions) => connectWebSocket(tokens, 'catalog.client', server.url, options)
  return { provider, tokens, server, connect }
}

/** The next message of a socket. */
async function next(socket: WebSocket): Promise<string> {
  const [data] = await once(socket, 'message')
  return String(data)
}

test('an open socket, whose connection has the token, and no message of the server is lost', async () => {
  const { provider, server, connect } = await setup()
  const connectAndListen = async () => {
    const socket = await connect()
    // The server sends it at once.
    expect(await next(socket)).toBe('welcome')
    return socket
  }
  const sockets = await Promise.all(Array.from({ length: 20 }, connectAndListen))
  for (const socket of sockets) socket.send('hello')
  expect(await Promise.all(sockets.map(next))).toEqual(Array(20).fill('echo hello'))
  expect(new Set(server.upgrades.map(({ token }) => token)).size).toBe(1)
  expect(provider.tokenRequests).toHaveLength(1)
})

test('after a revocation: one new token for all connections, and no caller sees the 401', async () => {
  const { provider, server, connect } = await setup()
  await connect()
  provider.revokeIssued()
  await Promise.all(Array.from({ length: 20 }, () => connect()))
  expect(provider.tokenRequests).toHaveLength(2)
  expect(server.upgrades.filter(({ accepted }) => accepted)).toHaveLength(21)
  expect(server.sockets.size).toBe(21)
})

test('across an expiry: the next connection has a new token', async () => {
  const clock = new SkippableClock()
  const { provider, server, connect } = await setup(clock)
  await connect()
  clock.skip(3_600_000)
  await connect()
  expect(provider.tokenRequests).toHaveLength(2)
  expect(server.upgrades.map(({ accepted }) => accepted)).toEqual([true, true])
})

test('a server that rejects every token: WebSocketUpgradeError, and no storm', async () => {
  const { provider, server, connect } = await setup()
  server.refusal = { status: 401 }
  for (let count = 0; count < 30; count++) {
    const error = await errorOf(connect())
    expect(error).toBeInstanceOf(WebSocketUpgradeError)
    expect(error).toMatchObject({ status: 401, client: 'catalog.client', url: server.url })
  }
  expect(provider.tokenRequests.length).toBeLessThan(8)
  expect(server.upgrades.length).toBeLessThanOrEqual(30 + provider.tokenRequests.length)
})

test('another status, and retryOn401: false: the error at once, without the query', async () => {
  const { provider, server, tokens, connect } = await setup()
  server.refusal = { status: 503 }
  const error = await errorOf(connectWebSocket(tokens, 'catalog.client', `${server.url}?key=secret`))
  expect(error.message).toBe(`${server.url} responded 503 to the WebSocket connection of client 'catalog.client'`)
  server.refusal = { status: 401 }
  expect(await errorOf(connect({ retryOn401: false }))).toMatchObject({ status: 401 })
  expect(server.upgrades).toHaveLength(2)
  expect(provider.tokenRequests).toHaveLength(1)
})

test('a redirect is not followed', async () => {
  const { provider, server, connect } = await setup()
  const elsewhere = await startStreamServer(provider)
  server.refusal = { status: 302, headers: { location: elsewhere.url } }
  const options = { followRedirects: true } as WebSocketOptions
  expect(await errorOf(connect(options))).toMatchObject({ status: 302 })
  expect(elsewhere.upgrades).toEqual([])
})

test('options of ws are passed on: subprotocols and headers. An authorization of the caller is not sent', async () => {
  const { server, connect } = await setup()
  const socket = await connect({
    protocols: ['v1', 'v2'],
    headers: { Authorization: 'Bearer of-the-caller', 'x-request-id': '7' },
  })
  expect(socket.protocol).toBe('v1')
  const [upgrade] = server.upgrades
  expect(upgrade?.headers['x-request-id']).toBe('7')
  expect(upgrade?.token).not.toBe('of-the-caller')
  expect(upgrade?.accepted).toBe(true)
})

test('no token: the error says why, and the server gets no request', async () => {
  const { provider, server, connect } = await setup()
  provider.tokenEndpointFaults.fail(Number.POSITIVE_INFINITY, { status: 401, body: { error: 'invalid_client' } })
  expect(await errorOf(connect())).toMatchObject({ name: 'TokenRequestError', error: 'invalid_client' })
  expect(server.upgrades).toEqual([])
})

test('no server: the error of ws, without the token', async () => {
  const { tokens } = await setup()
  const error = await errorOf(connectWebSocket(tokens, 'catalog.client', 'ws://127.0.0.1:1/orders'))
  expect(error).toMatchObject({ code: 'ECONNREFUSED' })
  const { value } = await tokens.getAccessToken('catalog.client')
  expect(JSON.stringify(error) + error.stack).not.toContain(value)
})

test('tokenParameters: an object, and a function of the request, which is called once', async () => {
  const { provider, server, connect } = await setup()
  await connect({ tokenParameters: { scope: 'catalog' } })
  const requests: string[] = []
  await connect({
    headers: { 'x-tenant': 'a' },
    tokenParameters({ method, url, headers }) {
      requests.push(`${method} ${url} ${headers.get('x-tenant')}`)
      return { scope: 'catalog.read' }
    },
    onToken() {},
  })
  expect(requests).toEqual([`GET ${server.url.replace('ws', 'http')} a`])
  expect(provider.tokenRequests.map(({ parameters }) => parameters.scope)).toEqual(['catalog', 'catalog.read'])
})

test('what the caller changes afterwards changes neither the request nor which token the connection gets', async () => {
  const { provider, tokens, server, connect } = await setup()
  const headers = { 'x-tenant': 'a' }
  const parameters = { tenant: 'a' }
  const renewed: string[] = []
  const connecting = connect({ headers, tokenParameters: { parameters }, onToken: ({ value }) => renewed.push(value) })
  headers['x-tenant'] = 'b'
  parameters.tenant = 'b'
  await connecting
  expect(server.upgrades[0]?.headers['x-tenant']).toBe('a')
  const { value } = await tokens.getAccessToken('catalog.client', { parameters: { tenant: 'a' }, forceRenewal: true })
  await until('the new token is passed on', async () => renewed.includes(value))
  expect(renewed).toEqual([value])
  expect(provider.tokenRequests.map(({ parameters }) => parameters.tenant)).toEqual(['a', 'a'])
})

describe('a signal', () => {
  test('ends the wait for the token and for the server, and does nothing to an open connection', async () => {
    const { provider, server, connect } = await setup()
    const open = new AbortController()
    const socket = await connect({ signal: open.signal })
    open.abort()
    expect(socket.readyState).toBe(socket.OPEN)

    server.hangs = true
    const hanging = new AbortController()
    const waiting = connect({ signal: hanging.signal })
    await until('the server was asked', async () => server.upgrades.length === 2)
    hanging.abort(new Error('enough'))
    expect(await errorOf(waiting)).toMatchObject({ message: 'enough' })

    provider.tokenEndpointFaults.fail(1, 'hang')
    const controller = new AbortController()
    const noToken = connect({ signal: controller.signal, tokenParameters: { scope: 'inventory' } })
    await until('a token was requested', async () => provider.tokenRequests.length === 2)
    controller.abort(new Error('enough'))
    expect(await errorOf(noToken)).toMatchObject({ message: 'enough' })
    expect(await errorOf(connect({ signal: controller.signal }))).toMatchObject({ message: 'enough' })
    expect(server.upgrades).toHaveLength(2)
  })
})

describe('onToken', () => {
  test('gets each token that is newer than the one of the connection, until the connection is closed', async () => {
    const { tokens, server, connect } = await setup()
    const renewed: string[] = []
    const socket = await connect({
      onToken(token, open) {
        renewed.push(token.value)
        open.send(`token ${token.value}`)
      },
    })
    const { value } = await tokens.getAccessToken('catalog.client', { forceRenewal: true })
    await until('the server has the new token', async () => server.messages.includes(`token ${value}`))
    expect(renewed).toEqual([value])
    socket.close()
    await once(socket, 'close')
    await tokens.getAccessToken('catalog.client', { forceRenewal: true })
    await connect()
    expect(renewed).toEqual([value])
  })

  test('the token is renewed ahead, although nobody asks for it', async () => {
    const clock = new SkippableClock()
    const { provider, connect } = await setup(clock)
    provider.setTokenLifetime(1)
    const renewed = new Promise<string>((resolve) => void connect({ onToken: (token) => resolve(token.value) }))
    expect(await renewed).not.toBe('')
    expect(provider.tokenRequests.length).toBeGreaterThanOrEqual(2)
  })
})

describe('DPoP', () => {
  async function bound() {
    const { provider, start } = await dpopTokens()
    const server = await startStreamServer(provider)
    return { provider, server, tokens: start() }
  }

  test('each connection has a proof for the GET of its URL', async () => {
    const { server, tokens } = await bound()
    for (let count = 0; count < 2; count++) await connectWebSocket(tokens, 'c', server.url)
    const proofs = server.upgrades.map(({ headers }) => headers.dpop)
    expect(new Set(proofs).size).toBe(2)
    expect(server.upgrades.map(({ accepted }) => accepted)).toEqual([true, true])
    expect(server.upgrades[0]?.headers.authorization).toMatch(/^DPoP /)
  })

  test('a nonce challenge is answered once, without a new token; a rejected token is replaced', async () => {
    const { provider, server, tokens } = await bound()
    server.nonce = 'n-1'
    await connectWebSocket(tokens, 'c', server.url)
    expect(server.upgrades).toHaveLength(2)
    await connectWebSocket(tokens, 'c', server.url)
    expect(server.upgrades).toHaveLength(3)
    expect(provider.tokenRequests).toHaveLength(1)
    provider.revokeIssued()
    await connectWebSocket(tokens, 'c', server.url)
    expect(provider.tokenRequests).toHaveLength(2)
  })
})

describe('where tokens go', () => {
  test('to the origin of the URL, or to allowedOrigins only', async () => {
    const { provider, server, connect, tokens } = await setup()
    const error = await errorOf(connect({ allowedOrigins: ['wss://stream.company.com'] }))
    expect(error).toBeInstanceOf(OriginNotAllowedError)
    expect(provider.tokenRequests).toEqual([])
    await connect({ allowedOrigins: [server.origin, 'wss://stream.company.com'] })
    await connectWebSocket(tokens, 'catalog.client', new URL(server.url.replace('ws', 'http')))
    expect(server.upgrades.map(({ accepted }) => accepted)).toEqual([true, true])
  })

  test.each([
    ['ws://stream.company.com/orders', 'would send tokens by plain http'],
    ['/orders', 'url: must be an absolute URL'],
    ['ftp://stream.company.com', 'url: must be a ws(s) or http(s) URL, not ftp:'],
  ])('%s is refused', async (url, message) => {
    expect((await errorOf(connectWebSocket(tokensOf(), 'c', url))).message).toContain(message)
  })

  test('plain text is allowed where the definition says so', async () => {
    const definition = { tokenEndpoint: 'https://as.example/token', clientId: 'id', clientSecret: 's' }
    const tokens = createTokenManager({ clients: { c: { ...definition, allowInsecureRequests: true } } })
    onTestFinished(() => tokens.close())
    const [result] = await Promise.allSettled([
      connectWebSocket(tokens, 'c', 'ws://stream.invalid/orders', { signal: AbortSignal.abort() }),
    ])
    expect(result).toMatchObject({ reason: { name: 'AbortError' } })
  })

  test('what cannot be right is named, and other clients do not compile', async () => {
    const options = { onToken: 'x' } as unknown as WebSocketOptions
    const error = await errorOf(connectWebSocket(tokensOf(), 'c', 'wss://a.example', options))
    expect(error.message).toContain("client 'c', onToken: must be a function")
    // @ts-expect-error no such client
    await errorOf(connectWebSocket(tokensOf(), 'd', 'wss://a.example', { signal: AbortSignal.abort() }))
  })
})

async function errorOf(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  const [result] = await Promise.allSettled([promise])
  if (result?.status !== 'rejected') throw new Error('it did not reject')
  return result.reason
}
