import { createTokenManager, type ProtectedResourceOptions, protectedResource } from '@tokenward/core'
import { createMcpAuth } from '@tokenward/mcp'
import { describe, expect, onTestFinished, test } from 'vitest'
import { SCOPE } from './authorization'
import { versions } from './clients'
import { startSessionServer } from './mcp-server'
import { errorOf, startMcpProvider } from './support'

/** An MCP server, and a token manager that learns from the server where tokens come from. */
async function setup(options: Partial<ProtectedResourceOptions> = {}) {
  const clients = { 'mcp.client': { scope: `${SCOPE} mcp:more` } }
  const providers = await Promise.all([startMcpProvider({ clients }), startMcpProvider({ clients })])
  const [one, two] = providers
  const server = await startSessionServer(one)
  two.addResource(server.url.href, SCOPE)
  const { clientId, clientSecret } = one.client('mcp.client')
  const allowedIssuers = providers.map(({ issuer }) => issuer)
  const client = { resource: server.url.href, allowedIssuers, clientId, clientSecret, scope: SCOPE, ...options }
  const tokens = createTokenManager({ clients: { 'mcp.client': protectedResource(client) } })
  onTestFinished(() => tokens.close())
  return { one, two, server, tokens }
}

describe.each(versions)('a client of version %s of the SDK', (_version, connect) => {
  test('the MCP server names its authorization server, and then another one', async () => {
    const { one, two, server, tokens } = await setup()
    const client = await connect(server.url, createMcpAuth(tokens, 'mcp.client', { serverUrl: server.url }))
    expect(await client.echo('x')).toBe('x for mcp.client')
    expect([one.tokenRequests.length, two.tokenRequests.length]).toEqual([1, 0])
    server.provider = two
    expect(await client.echo('y')).toBe('y for mcp.client')
    expect([one.tokenRequests.length, two.tokenRequests.length]).toEqual([1, 1])
    expect(two.tokenRequests[0]?.resource).toBe(server.url.href)
  })

  test('an MCP server that names an authorization server which is not allowed gets no request', async () => {
    const { one, server, tokens } = await setup({ allowedIssuers: ['https://login.company.com'] })
    const auth = createMcpAuth(tokens, 'mcp.client', { serverUrl: server.url })
    expect(String(await errorOf(connect(server.url, auth)))).toContain(`it names '${one.issuer}'`)
    expect([server.requests, one.tokenRequests]).toEqual([[], []])
  })

  test('a scope that the MCP server demands, and that stepUp allows', async () => {
    const { one, server, tokens } = await setup()
    const stepUp = { scopes: ['mcp:more'] }
    const client = await connect(server.url, createMcpAuth(tokens, 'mcp.client', { serverUrl: server.url, stepUp }))
    server.demandsMore = true
    expect(await client.echo('x')).toBe('x for mcp.client')
    expect(one.tokenRequests.map(({ scope }) => scope)).toEqual([SCOPE, `${SCOPE} mcp:more`])
  })
})
