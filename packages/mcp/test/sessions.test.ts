import { until } from '@tokenward/local-servers'
import { createMcpAuth } from '@tokenward/mcp'
import { describe, expect, test } from 'vitest'
import { revoke } from './authorization'
import { versions } from './clients'
import { startSessionServer } from './mcp-server'
import { mcpTokens, startMcpProvider } from './support'

describe.each(versions)('a client of version %s of the SDK, and a server with sessions', (_version, connect) => {
  async function setup(options?: Parameters<typeof startMcpProvider>[0]) {
    const provider = await startMcpProvider(options)
    const server = await startSessionServer(provider)
    const tokens = mcpTokens(provider)
    const auth = createMcpAuth(tokens, 'mcp.client', { serverUrl: server.url })
    return { provider, server, tokens, auth, connectClient: () => connect(server.url, auth) }
  }

  test('every request has the token, which was requested for the URL of the server', async () => {
    const { provider, server, connectClient } = await setup()
    const client = await connectClient()
    expect(await client.echo('one')).toBe('one for mcp.client')
    await until('the stream is open', async () => server.openStreams() === 1)
    expect(provider.tokenRequests).toHaveLength(1)
    expect(provider.tokenRequests[0]?.parameters).toMatchObject({ resource: server.url.href, scope: 'mcp:tools' })
    expect(server.requests.map(({ method, status }) => [method, status])).toEqual(
      expect.arrayContaining([
        ['POST', 200],
        ['POST', 202],
        ['GET', 200],
      ]),
    )
    expect(server.tokens()).toHaveLength(1)
    expect(client.errors).toEqual([])
  })

  test('after a revocation in the middle of a session, calls go on in the same session with one new token', async () => {
    const { provider, server, tokens, connectClient } = await setup()
    const client = await connectClient()
    await client.echo('before')
    await revoke(provider, String(server.tokens()[0]))
    const texts = Array.from({ length: 20 }, (_, call) => `call ${call}`)
    const results = await Promise.all(texts.map((text) => client.echo(text)))
    expect(results).toEqual(texts.map((text) => `${text} for mcp.client`))
    expect(provider.tokenRequests).toHaveLength(2)
    expect(server.requests.filter(({ rpc }) => rpc === 'initialize')).toHaveLength(1)
    expect((await tokens.getAccessToken('mcp.client', { resource: server.url })).value).toBe(server.tokens()[1])
  })

  test('a stream that the server ends after a revocation opens again with a new token, and delivers', async () => {
    const { provider, server, connectClient } = await setup()
    const client = await connectClient()
    await until('the stream is open', async () => server.openStreams() === 1)
    await server.notify('before')
    await until('the first notification is there', async () => client.notifications.includes('before'))
    await revoke(provider, String(server.tokens()[0]))
    server.dropStreams()
    const streams = () => server.requests.filter(({ method }) => method === 'GET').map(({ status }) => status)
    await until('the stream is open again', async () => streams().join() === '200,401,200')
    await server.notify('after')
    await until('the second notification is there', async () => client.notifications.includes('after'))
    expect(provider.tokenRequests).toHaveLength(2)
  })

  test('the transport of older servers works in the same way', async () => {
    const { provider, server, tokens } = await setup()
    const serverUrl = new URL('/sse', server.url)
    const auth = createMcpAuth(tokens, 'mcp.client', { serverUrl, tokenParameters: { resource: server.url } })
    const client = await connect(serverUrl, auth, { sse: true })
    await client.echo('before')
    await revoke(provider, String(server.tokens()[0]))
    expect(await client.echo('after')).toBe('after for mcp.client')
    expect(provider.tokenRequests).toHaveLength(2)
    expect(server.requests.every(({ token }) => token !== undefined)).toBe(true)
  })

  test('a session outlives its tokens', async () => {
    const { provider, server, connectClient } = await setup({ tokenLifetimeSeconds: 3 })
    const client = await connectClient()
    // Real time, because the authorization server has the real clock.
    await until('the third token is in use', async () => {
      expect(await client.echo('again')).toBe('again for mcp.client')
      return server.tokens().length >= 3
    })
    expect(server.requests.filter(({ rpc }) => rpc === 'initialize')).toHaveLength(1)
    expect(client.errors).toEqual([])
    // The next token may be there already.
    expect(provider.tokenRequests.length - server.tokens().length).toBeLessThanOrEqual(1)
  })

  test('50 clients share one token, and one new token after its revocation', async () => {
    const { provider, server, connectClient } = await setup()
    const clients = await Promise.all(Array.from({ length: 50 }, connectClient))
    await Promise.all(clients.map((client) => client.echo('before')))
    expect(provider.tokenRequests).toHaveLength(1)
    await revoke(provider, String(server.tokens()[0]))
    const results = await Promise.all(clients.map((client) => client.echo('after')))
    expect(new Set(results)).toEqual(new Set(['after for mcp.client']))
    expect(provider.tokenRequests).toHaveLength(2)
    expect(server.tokens()).toHaveLength(2)
  })
})
