import { TokenRequestError } from '@tokenward/core'
import { until } from '@tokenward/local-servers'
import { createMcpAuth, McpUnauthorizedError } from '@tokenward/mcp'
import { describe, expect, test } from 'vitest'
import { connect1, connect2, versions } from './clients'
import { startModernServer, startSessionServer } from './mcp-server'
import { errorOf, mcpTokens, startMcpProvider } from './support'

async function setup() {
  const provider = await startMcpProvider()
  const tokens = mcpTokens(provider)
  const server = await startSessionServer(provider)
  return { provider, tokens, server, auth: createMcpAuth(tokens, 'mcp.client', { serverUrl: server.url }) }
}

describe.each(versions)('a client of version %s of the SDK', (_version, connect) => {
  test('a server that rejects every token: no storm of requests, and each call fails', async () => {
    const { provider, server, auth } = await setup()
    const client = await connect(server.url, auth)
    server.rejectsAll = true
    for (let call = 0; call < 50; call++) await errorOf(client.echo('x'))
    expect(provider.tokenRequests.length).toBeLessThan(10)
    const rejected = server.requests.filter(({ rpc, status }) => rpc === 'tools/call' && status === 401)
    // Each call once, and once more with each new token.
    expect(rejected.length).toBeLessThanOrEqual(50 + provider.tokenRequests.length - 1)
    server.rejectsAll = false
    expect(await client.echo('x')).toBe('x for mcp.client')
  })

  test('50 clients of a server that rejects every token: none of them connects, and there is no storm', async () => {
    const { provider, server, auth } = await setup()
    server.rejectsAll = true
    await Promise.all(Array.from({ length: 50 }, () => errorOf(connect(server.url, auth))))
    expect(provider.tokenRequests.length).toBeLessThan(10)
    expect(server.requests.length).toBeLessThanOrEqual(100)
  })

  test('a server that rejects every stream: calls go on, and there is no storm', async () => {
    const { provider, server, auth } = await setup()
    server.rejectsStreams = true
    const client = await connect(server.url, auth)
    for (let call = 0; call < 20; call++) expect(await client.echo('x')).toBe('x for mcp.client')
    await until('the stream has failed', async () => client.errors.length > 0)
    expect(server.requests.filter(({ method }) => method === 'GET').map(({ status }) => status)).toEqual([401, 401])
    expect(provider.tokenRequests).toHaveLength(2)
  })

  test('a client that gets no token: the error says why, and the server gets no request', async () => {
    const { provider, server, auth } = await setup()
    const fault = { status: 401, body: { error: 'invalid_client' } }
    provider.tokenEndpointFaults.fail(Number.POSITIVE_INFINITY, fault)
    const error = await errorOf(connect(server.url, auth))
    expect(error).toBeInstanceOf(TokenRequestError)
    expect(error).toMatchObject({ client: 'mcp.client', error: 'invalid_client' })
    expect(server.requests).toEqual([])
  })

  test('a server that rejects what is no token of it at once: the token of another resource', async () => {
    const { provider, tokens, server } = await setup()
    const other = await startSessionServer(provider)
    const options = { serverUrl: server.url, tokenParameters: { resource: other.url } }
    await errorOf(connect(server.url, createMcpAuth(tokens, 'mcp.client', options)))
    expect(server.requests.map(({ status }) => status)).toEqual([401, 401])
    await connect(other.url, createMcpAuth(tokens, 'mcp.client', { serverUrl: other.url }))
  })
})

test('version 1: a server that rejects every token is a StreamableHTTPError with the code 401', async () => {
  const { server, auth } = await setup()
  server.rejectsAll = true
  const error = await errorOf(connect1(server.url, auth))
  expect(error).toMatchObject({ code: 401, message: expect.stringContaining('invalid_token') })
})

test('version 2: a server that rejects every token is a McpUnauthorizedError that says what to look at', async () => {
  const { server, auth } = await setup()
  server.rejectsAll = true
  const error = await errorOf(connect2(server.url, auth))
  expect(error).toBeInstanceOf(McpUnauthorizedError)
  const { href } = server.url
  expect(error).toMatchObject({
    code: 'mcp_unauthorized',
    client: 'mcp.client',
    serverUrl: href,
    error: 'invalid_token',
    message: `the MCP server ${href} rejects the token of client 'mcp.client' (invalid_token); it was requested for the resource ${href}`,
  })
  for (const token of server.tokens()) expect(JSON.stringify(error) + error.stack).not.toContain(token)
})

test('version 1: a scope that is missing is a StreamableHTTPError with the code 403, and renews no token', async () => {
  const { provider, server, auth } = await setup()
  const client = await connect1(server.url, auth)
  server.demandsMore = true
  expect(await errorOf(client.echo('x'))).toMatchObject({ code: 403 })
  expect(provider.tokenRequests).toHaveLength(1)
})

test('version 2: a scope that is missing is the SDK’s own InsufficientScopeError, and renews no token', async () => {
  const { provider, server, auth } = await setup()
  const client = await connect2(server.url, auth)
  server.demandsMore = true
  const error = await errorOf(client.echo('x'))
  expect(error).toMatchObject({ name: 'InsufficientScopeError', requiredScope: 'mcp:tools mcp:more' })
  expect(provider.tokenRequests).toHaveLength(1)
})

describe('version 2, with a server without sessions that negotiates the version', () => {
  test('calls work, and a rejected token is replaced', async () => {
    const { provider, tokens } = await setup()
    const server = await startModernServer(provider)
    const auth = createMcpAuth(tokens, 'mcp.client', { serverUrl: server.url })
    const client = await connect2(server.url, auth, { auto: true })
    expect(await client.echo('x')).toBe('x for mcp.client')
    await tokens.revoke('mcp.client')
    expect(await client.echo('y')).toBe('y for mcp.client')
    expect(provider.tokenRequests).toHaveLength(2)
    expect(server.requests.map(({ rpc }) => rpc)).toContain('server/discover')
  })

  test('a token that the server rejects, and a token that cannot be had, fail the negotiation with the reason', async () => {
    const { provider, tokens } = await setup()
    const server = await startModernServer(provider)
    const auth = createMcpAuth(tokens, 'mcp.client', { serverUrl: server.url })
    server.rejectsAll = true
    expect(await errorOf(connect2(server.url, auth, { auto: true }))).toBeInstanceOf(McpUnauthorizedError)
    await tokens.clear()
    provider.tokenEndpointFaults.fail(Number.POSITIVE_INFINITY, { status: 401, body: { error: 'invalid_client' } })
    const failed = await errorOf(connect2(server.url, auth, { auto: true }))
    expect(failed).toMatchObject({
      message: expect.stringContaining('invalid_client'),
      cause: expect.any(TokenRequestError),
    })
  })
})
