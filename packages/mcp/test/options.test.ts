import { StreamableHTTPClientTransport as Transport2 } from '@modelcontextprotocol/client'
import { StreamableHTTPClientTransport as Transport1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { ConfigurationError, createTokenManager, OriginNotAllowedError } from '@tokenward/core'
import { until } from '@tokenward/local-servers'
import { createMcpAuth, type McpAuth } from '@tokenward/mcp'
import { dpopTokens, serve } from '@tokenward/test-support'
import { expect, onTestFinished, test } from 'vitest'
import { connect2, versions } from './clients'
import { startSessionServer } from './mcp-server'
import { errorOf, mcpTokens, startMcpProvider } from './support'

const definition = { tokenEndpoint: 'https://as.example/token', clientId: 'id', clientSecret: 's' }

/** A manager whose requester is a stand-in: it records what tokens are requested with. */
function recordingTokens(more: { resource?: string } = {}) {
  const requested: (readonly string[])[] = []
  const tokens = createTokenManager({
    clients: { c: { ...definition, ...more } },
    requester: {
      async request(_client, { resource }) {
        requested.push(resource)
        return { access_token: 'the-token-itself', token_type: 'Bearer', expires_in: 60 }
      },
    },
  })
  onTestFinished(() => tokens.close())
  return { tokens, requested }
}

const ok: typeof fetch = async () => new Response()

test.each([
  ['https://mcp.example/mcp', 'https://mcp.example/mcp'],
  ['https://MCP.example:443/mcp/', 'https://mcp.example/mcp/'],
  ['https://mcp.example', 'https://mcp.example'],
  ['https://mcp.example/', 'https://mcp.example'],
  ['https://mcp.example/mcp?key=secret#part', 'https://mcp.example/mcp'],
])('the token for %s is requested for the resource %s', async (serverUrl, resource) => {
  const { tokens, requested } = recordingTokens()
  const { fetch } = createMcpAuth(tokens, 'c', { serverUrl, fetch: ok })
  await fetch(new URL(serverUrl))
  expect(requested).toEqual([[resource]])
})

test('tokenParameters name another resource, leave it to the definition, or depend on the request', async () => {
  const { tokens, requested } = recordingTokens({ resource: 'urn:definition' })
  const serverUrl = 'https://mcp.example/mcp'
  const parameters = [
    { resource: 'urn:other' },
    { resource: undefined },
    ({ method }: { method: string }) => ({ scope: method }),
    async () => ({ resource: 'urn:computed' }),
  ]
  for (const tokenParameters of parameters) {
    const { fetch } = createMcpAuth(tokens, 'c', { serverUrl, tokenParameters, fetch: ok })
    await fetch(serverUrl)
  }
  expect(requested).toEqual([['urn:other'], ['urn:definition'], [serverUrl], ['urn:computed']])
})

test.each(versions)('version %s: a transport to another origin gets no token', async (_version, connect) => {
  const provider = await startMcpProvider()
  const server = await startSessionServer(provider)
  const tokens = mcpTokens(provider)
  const auth = createMcpAuth(tokens, 'mcp.client', { serverUrl: server.url })
  const seen: unknown[] = []
  const elsewhere = await serve((request, response) => {
    seen.push(request.headers)
    response.writeHead(401).end()
  })
  const error = await errorOf(connect(new URL(`${elsewhere}/mcp`), auth))
  expect(error).toBeInstanceOf(OriginNotAllowedError)
  expect(seen).toEqual([])
  expect(provider.tokenRequests).toEqual([])
})

test.each(versions)('version %s: a redirect to another origin carries no token', async (_version, connect) => {
  const provider = await startMcpProvider()
  const tokens = mcpTokens(provider)
  const seen: unknown[] = []
  const elsewhere = await serve((request, response) => {
    seen.push(request.headers.authorization)
    response.writeHead(401).end()
  })
  const redirecting = await serve((_request, response) => {
    response.writeHead(307, { location: `${elsewhere}/mcp` }).end()
  })
  const serverUrl = new URL(`${redirecting}/mcp`)
  provider.addResource(serverUrl.href, 'mcp:tools')
  await errorOf(connect(serverUrl, createMcpAuth(tokens, 'mcp.client', { serverUrl })))
  expect(seen.filter((authorization) => authorization !== undefined)).toEqual([])
  expect(provider.tokenRequests).toHaveLength(1)
})

test('version 2: a transport that gets the auth provider without the fetch sends no token, and its error says so', async () => {
  const provider = await startMcpProvider()
  const server = await startSessionServer(provider)
  const { authProvider } = createMcpAuth(mcpTokens(provider), 'mcp.client', { serverUrl: server.url })
  const error = await errorOf(connect2(server.url, { fetch: globalThis.fetch as McpAuth['fetch'], authProvider }))
  expect(error).toBeInstanceOf(ConfigurationError)
  expect(error.message).toContain("client 'mcp.client', fetch: missing in the options of the transport")
  expect(server.tokens()).toEqual([])
})

test('the error repeats a code that it knows only, and the connection of the 401 is free again', async () => {
  let closed = false
  const origin = await serve((request, response) => {
    const token = request.headers.authorization?.replace('Bearer ', '')
    response.writeHead(401, { 'www-authenticate': `Bearer error="${token}", error_description="${token}"` })
    response.write('a body without end')
    response.on('close', () => {
      closed = true
    })
  })
  const { tokens } = recordingTokens()
  const serverUrl = `${origin}/mcp?key=secret`
  const auth = createMcpAuth(tokens.addClient('tenant\n2', definition), 'tenant\n2', { serverUrl, retryOn401: false })
  const response = await auth.fetch(serverUrl)
  const error = await errorOf(auth.authProvider.onUnauthorized({ response }))
  const message = `the MCP server ${origin}/mcp rejects the token of client 'tenant 2'; it was requested for the resource ${origin}/mcp`
  expect(error).toMatchObject({ name: 'McpUnauthorizedError', error: undefined, serverUrl: `${origin}/mcp`, message })
  await until('the connection is closed', async () => closed)
})

test('a DPoP client sends a proof with each request, and never the token as Bearer', async () => {
  const { start, api } = await dpopTokens()
  const options = { serverUrl: api.baseURL, tokenParameters: { resource: undefined } }
  const { fetch, authProvider } = createMcpAuth(start(), 'c', options)
  expect(await authProvider.token()).toBeUndefined()
  const response = await fetch(new URL(`${api.baseURL}list`))
  expect(response.status).toBe(200)
  expect(api.requests[0]?.headers.authorization).toMatch(/^DPoP /)
})

test('what cannot be right is named at once', () => {
  const { tokens } = recordingTokens()
  const messageOf = (options: object) => {
    try {
      createMcpAuth(tokens, 'c', options as { serverUrl: string })
    } catch (error) {
      if (error instanceof ConfigurationError) return error.message
    }
    return 'no ConfigurationError'
  }
  expect(messageOf({})).toBe("client 'c', serverUrl: missing: the URL of the MCP server")
  expect(messageOf({ serverUrl: '/mcp' })).toBe("client 'c', serverUrl: must be a URL")
  expect(messageOf({ serverUrl: 'ftp://mcp.example' })).toContain("client 'c', serverUrl: must be an http(s) URL")
  expect(messageOf({ serverUrl: 'http://mcp.example' })).toContain(
    "client 'c', serverUrl: would send tokens by plain http",
  )
})

test('both versions of the SDK accept what createMcpAuth returns', () => {
  const { tokens } = recordingTokens()
  const url = new URL('https://mcp.example/mcp')
  const auth = createMcpAuth(tokens, 'c', { serverUrl: url })
  new Transport2(url, auth)
  new Transport1(url, { fetch: auth.fetch })
  // @ts-expect-error version 1 has another kind of auth provider, which requests tokens itself
  new Transport1(url, auth)
  // @ts-expect-error no such client
  createMcpAuth(tokens, 'd', { serverUrl: url })
})
