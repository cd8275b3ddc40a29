import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { type ClientDefinition, createTokenManager, jwtBearer, TlsClientAuth, tokenExchange } from '@tokenward/core'
import { expect, onTestFinished, test } from 'vitest'
import { definition } from './support'

const MIB = 1_048_576

async function served(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function manager(change: Partial<ClientDefinition>) {
  return createTokenManager({ clients: { c: { ...definition, ...change } as ClientDefinition }, random: () => 0 })
}

const responding = (body: unknown) => ({ fetch: async () => Response.json(body) })
const good = { access_token: 'a', token_type: 'Bearer', expires_in: 100 }

test.each([
  ['an ID token, which nobody can verify without an issuer', { id_token: 'eyJ.x.y' }],
  ['null for optional members', { scope: null, expires_in: null, refresh_token: null, id_token: null }],
  ['a refresh token that is no string', { refresh_token: 7 }],
])('a token response with %s is valid', async (_what, further) => {
  const token = await manager(responding({ ...good, ...further })).getAccessToken('c')
  expect(token).toMatchObject({ value: 'a', type: 'Bearer', scope: 'catalog' })
})

test('N_A: issued by token exchange, refused for other grants and for DPoP', async () => {
  const response = responding({ ...good, token_type: 'N_A' })
  const exchange = { ...response, requester: tokenExchange({ subjectToken: 'subject-token' }) }
  expect((await manager(exchange).getAccessToken('c')).type).toBe('N_A')
  const invalid = { error: 'invalid_response', retryable: false }
  await expect(manager(response).getAccessToken('c')).rejects.toMatchObject(invalid)
  const bearer = { ...response, requester: jwtBearer({ assertion: 'an-assertion' }) }
  await expect(manager(bearer).getAccessToken('c')).rejects.toMatchObject(invalid)
  await expect(manager({ ...exchange, dpop: true }).getAccessToken('c')).rejects.toMatchObject(invalid)
})

test.each(['token', 'error', 'discovery'])('a gzip bomb as %s response: no more than 1 MiB is read', async (where) => {
  const bomb = gzipSync(Buffer.alloc(64 * MIB, 32))
  let cancelled = 0
  let read = 0
  const origin = await served((_request, response) => {
    const status = where === 'error' ? 400 : 200
    response.writeHead(status, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
    response.end(bomb)
  })
  const transport: typeof fetch = async (input, init) => {
    const { body, status, headers } = await fetch(input, init)
    const reader = (body as ReadableStream<Uint8Array>).getReader()
    const counted = new ReadableStream<Uint8Array>({
      async pull(controller) {
        const { value } = await reader.read()
        if (!value) return controller.close()
        read += value.length
        controller.enqueue(value)
      },
      cancel(reason) {
        cancelled++
        return reader.cancel(reason)
      },
    })
    return new Response(counted, { status, headers })
  }
  const { tokenEndpoint, ...rest } = definition
  const by = where === 'discovery' ? { issuer: origin } : { tokenEndpoint: `${origin}/token` }
  const tokens = createTokenManager({ clients: { c: { ...rest, ...by, fetch: transport } }, random: () => 0 })
  await expect(tokens.getAccessToken('c')).rejects.toMatchObject({
    error: 'invalid_response',
    errorDescription: 'the response is longer than 1 MiB',
  })
  expect(cancelled).toBeGreaterThanOrEqual(1)
  expect(read / cancelled).toBeLessThan(2 * MIB)
})

test('a response of just less than 1 MiB is read', async () => {
  const padding = ' '.repeat(MIB - 200)
  const tokens = manager({
    fetch: async () =>
      new Response(`${padding}${JSON.stringify(good)}`, { headers: { 'content-type': 'application/json' } }),
  })
  expect((await tokens.getAccessToken('c')).value).toBe('a')
})

test('a response of a transport whose bodies can only be iterated is read', async () => {
  async function* chunks() {
    yield new TextEncoder().encode(JSON.stringify(good))
  }
  const response = { status: 200, statusText: '', headers: new Headers({ 'content-type': 'application/json' }) }
  const tokens = manager({ fetch: async () => ({ ...response, body: chunks() }) as unknown as Response })
  expect((await tokens.getAccessToken('c')).value).toBe('a')
})

test('a body that never ends is given up with its connection when the time limit is over', async () => {
  let closed = () => {}
  const connectionClosed = new Promise<void>((resolve) => {
    closed = resolve
  })
  const origin = await served((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.write('{')
    response.on('close', closed)
  })
  const tokens = manager({ tokenEndpoint: origin, timeoutMs: 250 })
  await expect(tokens.getAccessToken('c')).rejects.toMatchObject({ error: 'timeout' })
  await connectionClosed
})

/** An authorization server whose metadata is `metadata`, and the URLs that got a request. */
function discovered(metadata: object, change: Partial<ClientDefinition> = {}) {
  const urls: string[] = []
  const issuer = 'https://as.example'
  const transport: typeof fetch = async (input) => {
    urls.push(String(input))
    const isMetadata = String(input).includes('.well-known')
    return Response.json(isMetadata ? { issuer, token_endpoint: `${issuer}/token`, ...metadata } : good)
  }
  const client = { issuer, clientId: 'c', clientSecret: 'a-secret', fetch: transport, ...change } as ClientDefinition
  return { urls, tokens: createTokenManager({ clients: { c: client }, random: () => 0 }) }
}

test.each([
  ['token endpoint', { token_endpoint: 'http://as.example/token' }, {}],
  [
    'mTLS alias',
    { mtls_endpoint_aliases: { token_endpoint: 'http://mtls.example/token' } },
    { clientAuth: TlsClientAuth(), clientSecret: undefined },
  ],
])('a %s from metadata that is plain http gets no request', async (_what, metadata, change) => {
  const { urls, tokens } = discovered(metadata, change)
  await expect(tokens.getAccessToken('c')).rejects.toMatchObject({
    error: 'invalid_response',
    errorDescription: expect.stringContaining('not https'),
    step: 'token_request',
  })
  expect(urls.every((url) => url.startsWith('https://as.example/.well-known'))).toBe(true)
})

test.each([
  ['revocation_endpoint', { revocation_endpoint: 'http://as.example/revoke' }, {}],
  [
    'mTLS alias of it',
    {
      revocation_endpoint: 'https://as.example/revoke',
      mtls_endpoint_aliases: { revocation_endpoint: 'http://mtls.example/revoke' },
    },
    { clientAuth: TlsClientAuth(), clientSecret: undefined },
  ],
])('a %s that is plain http gets no token', async (_what, metadata, change) => {
  const { urls, tokens } = discovered(metadata, change)
  await tokens.getAccessToken('c')
  const before = urls.length
  const error = await tokens.revoke('c').catch((thrown) => thrown)
  expect(error).toMatchObject({ step: 'revocation', errorDescription: expect.stringContaining('not https') })
  expect(error.message).toContain("revocation failed for client 'c'")
  expect(urls).toHaveLength(before)
  const allowed = discovered(metadata, { ...change, allowInsecureRequests: true })
  await allowed.tokens.getAccessToken('c')
  expect(await allowed.tokens.revoke('c')).toBe(true)
})

test('a redirect of the token endpoint is not followed', async () => {
  const paths: string[] = []
  const origin = await served(({ url = '' }, response) => {
    paths.push(url)
    response.writeHead(307, { location: '/elsewhere' }).end()
  })
  await expect(manager({ tokenEndpoint: `${origin}/token` }).getAccessToken('c')).rejects.toMatchObject({ status: 307 })
  expect(paths).toEqual(['/token'])
})

test('a discovery that one caller gives up goes on for the others, and ends when nobody waits', async () => {
  const { tokenEndpoint, ...rest } = definition
  let metadata = (_response: Response) => {}
  const signals: (AbortSignal | null | undefined)[] = []
  const transport: typeof fetch = async (input, init) => {
    if (!String(input).includes('.well-known')) return Response.json(good)
    signals.push(init?.signal)
    return new Promise((resolve) => {
      metadata = resolve
    })
  }
  const tokens = createTokenManager({ clients: { c: { ...rest, issuer: 'https://as.example', fetch: transport } } })
  const first = tokens.getAccessToken('c').catch((error) => error)
  const second = tokens.getAccessToken('c', { scope: 'other' })
  await expect.poll(() => signals.length).toBe(1)
  metadata(Response.json({ issuer: 'https://as.example', token_endpoint: 'https://as.example/token' }))
  expect((await second).value).toBe('a')
  await first
  const slow = createTokenManager({ clients: { c: { ...rest, issuer: 'https://as.example', fetch: transport } } })
  const waiting = slow.getAccessToken('c').catch((error) => error)
  await expect.poll(() => signals.length).toBe(2)
  await slow.close()
  expect(await waiting).toMatchObject({ error: 'closed' })
  expect(signals[1]?.aborted).toBe(true)
})

test('refresh_in reaches the cache when it is shorter than the lifetime, and the time of the server the requester', async () => {
  const loaded: (number | undefined)[] = []
  for (const [refresh_in, expires_in] of [
    [40, 100],
    [100, 100],
    [0, 100],
    ['soon', 100],
    [40, undefined],
  ] as const) {
    const tokens = createTokenManager({
      clients: { c: { ...definition, ...responding({ ...good, refresh_in, expires_in }) } },
      cache: {
        async get(_key, { loader }) {
          const load = await loader.load({ signal: new AbortController().signal, isAwaited: () => true })
          loaded.push(load.refreshInMs)
          return load.token
        },
        reject: () => true,
        async delete() {},
        async clear() {},
        held: () => [],
        forget() {},
        async close() {},
      },
    })
    await tokens.getAccessToken('c')
  }
  expect(loaded).toEqual([40_000, undefined, undefined, undefined, undefined])
})
