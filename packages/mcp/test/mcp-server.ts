import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { InvalidTokenError } from '@modelcontextprotocol/sdk/server/auth/errors.js'
import { requireBearerAuth } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js'
import {
  getOAuthProtectedResourceMetadataUrl,
  mcpAuthMetadataRouter,
} from '@modelcontextprotocol/sdk/server/auth/router.js'
import { createMcpExpressApp } from '@modelcontextprotocol/sdk/server/express.js'
import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { CallToolRequestSchema, isInitializeRequest } from '@modelcontextprotocol/sdk/types.js'
import * as modern from '@modelcontextprotocol/server'
import type { IdentityProvider } from '@tokenward/identity-provider'
import type { Request, Response } from 'express'
import { onTestFinished } from 'vitest'
import { introspect, SCOPE } from './authorization'

/** A request that reached the MCP server. */
interface SeenRequest {
  readonly method: string
  /** The method of the JSON-RPC message, if there was one. */
  readonly rpc: string | undefined
  readonly token: string | undefined
  /** 0 until the response begins. */
  status: number
}

/** An MCP server of the SDK. It demands a token of the authorization server, which is asked about each of them. */
export interface McpServer {
  readonly url: URL
  readonly requests: readonly SeenRequest[]
  /** The tokens of the requests, each once, in order. */
  tokens(): readonly string[]
  /** Whether it responds 401 to every token. */
  rejectsAll: boolean
  /** Whether it responds 401 to every request for a stream. */
  rejectsStreams: boolean
  /** Whether it demands the scope `mcp:more`, which no client has at first. */
  demandsMore: boolean
  /** The authorization server that it uses. */
  provider: IdentityProvider
  /** How many streams of clients are open. Only in the sessions of version 1. */
  openStreams(): number
  /** Ends the streams of all clients, as a server does when their token is not valid any more. */
  dropStreams(): void
  /** Sends a notification to all clients on their streams. */
  notify(text: string): Promise<void>
}

interface Verifier {
  verify(token: string): ReturnType<typeof introspect>
  readonly requests: SeenRequest[]
}

const echo = (args: Record<string, unknown> | undefined, clientId: string | undefined) => ({
  content: [{ type: 'text' as const, text: `${args?.text} for ${clientId}` }],
})

async function listen(state: { rejectsAll: boolean; provider: IdentityProvider }) {
  const requests: SeenRequest[] = []
  let listener: RequestListener = (_request, response) => response.writeHead(503).end()
  const server = createServer((request, response) => listener(request, response)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`)
  state.provider.addResource(url.href, `${SCOPE} mcp:more`)
  const verifier: Verifier = {
    requests,
    verify: (token) => (state.rejectsAll ? Promise.resolve(undefined) : introspect(state.provider, token)),
  }
  const serve = (next: RequestListener) => {
    listener = next
  }
  return { url, requests, verifier, serve }
}

function metadataOf({ issuer, tokenEndpoint }: IdentityProvider) {
  const authorization_endpoint = `${issuer}/auth`
  return { issuer, token_endpoint: tokenEndpoint, authorization_endpoint, response_types_supported: ['code'] }
}

function record(requests: SeenRequest[], authorization: string | undefined, method: string, body: unknown) {
  const rpc = (body as { method?: string } | undefined)?.method
  const [, token] = /^Bearer (\S+)$/.exec(authorization ?? '') ?? []
  const seen: SeenRequest = { method, rpc, token, status: 0 }
  requests.push(seen)
  return seen
}

const tokensOf = (requests: readonly SeenRequest[]) => [
  ...new Set(requests.flatMap(({ token }) => (token === undefined ? [] : [token]))),
]

/**
 * A server of the SDK's version 1, with sessions and streams. Its tool `echo` repeats a text. It also serves the transport of MCP before
 * 2025-03-26, at `/sse`. It ends with the test.
 */
export async function startSessionServer(provider: IdentityProvider): Promise<McpServer> {
  const state = { rejectsAll: false, rejectsStreams: false, demandsMore: false, provider }
  const { url, requests, verifier, serve } = await listen(state)
  const sessions = new Map<string, { server: Server; transport: StreamableHTTPServerTransport }>()
  const streams = new Set<ServerResponse>()

  function newServer() {
    const server = new Server({ name: 'test', version: '1.0.0' }, { capabilities: { tools: {}, logging: {} } })
    server.setRequestHandler(CallToolRequestSchema, ({ params }, { authInfo }) =>
      echo(params.arguments, authInfo?.clientId),
    )
    return server
  }

  async function newSession() {
    const server = newServer()
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => void sessions.set(id, { server, transport }),
    })
    // The SDK's types do not allow for exactOptionalPropertyTypes.
    await server.connect(transport as Parameters<Server['connect']>[0])
    return transport
  }

  const app = createMcpExpressApp()
  // Where an MCP client learns the authorization server (RFC 9728).
  app.use((request: Request, response: Response, next: () => void) =>
    mcpAuthMetadataRouter({ oauthMetadata: metadataOf(state.provider), resourceServerUrl: url })(
      request,
      response,
      next,
    ),
  )
  app.use((request: Request, response: Response, next: () => void) => {
    const seen = record(requests, request.headers.authorization, request.method, request.body)
    const { writeHead } = response
    response.writeHead = ((...args: Parameters<typeof writeHead>) => {
      seen.status = Number(args[0])
      return writeHead.apply(response, args)
    }) as typeof writeHead
    next()
  })
  app.use((request: Request, response: Response, next: () => void) =>
    requireBearerAuth({
      verifier: {
        async verifyAccessToken(token) {
          const isRejected = state.rejectsStreams && request.method === 'GET'
          const verified = isRejected ? undefined : await verifier.verify(token)
          if (!verified) throw new InvalidTokenError('The token is not active')
          return verified
        },
      },
      requiredScopes: state.demandsMore ? [SCOPE, 'mcp:more'] : [SCOPE],
      expectedResource: url,
      resourceMetadataUrl: getOAuthProtectedResourceMetadataUrl(url),
    })(request, response, next),
  )
  app.all('/mcp', async (request: Request, response: Response) => {
    const id = request.headers['mcp-session-id']
    const known = typeof id === 'string' ? sessions.get(id)?.transport : undefined
    const transport = known ?? (isInitializeRequest(request.body) ? await newSession() : undefined)
    if (!transport) {
      response.status(404).json({ jsonrpc: '2.0', error: { code: -32001, message: 'Session not found' }, id: null })
      return
    }
    if (request.method === 'GET') {
      streams.add(response)
      response.on('close', () => streams.delete(response))
    }
    await transport.handleRequest(request, response, request.body)
  })
  const sseSessions = new Map<string, SSEServerTransport>()
  app.get('/sse', async (_request: Request, response: Response) => {
    const transport = new SSEServerTransport('/messages', response)
    sseSessions.set(transport.sessionId, transport)
    await newServer().connect(transport)
  })
  app.post('/messages', async (request: Request, response: Response) => {
    await sseSessions.get(String(request.query.sessionId))?.handlePostMessage(request, response, request.body)
  })
  serve(app)

  return Object.assign(state, {
    url,
    requests,
    tokens: () => tokensOf(requests),
    openStreams: () => streams.size,
    dropStreams() {
      for (const stream of streams) stream.destroy()
    },
    async notify(text: string) {
      const all = [...sessions.values()]
      await Promise.all(all.map(({ server }) => server.sendLoggingMessage({ level: 'info', data: text })))
    },
  })
}

/** A server of the SDK's version 2, without sessions. Its tool `echo` repeats a text. It ends with the test. */
export async function startModernServer(
  provider: IdentityProvider,
): Promise<Pick<McpServer, 'url' | 'requests'> & { rejectsAll: boolean }> {
  const state = { rejectsAll: false, provider }
  const { url, requests, verifier, serve } = await listen(state)
  const handler = modern.createMcpHandler(
    ({ authInfo }) => {
      const server = new modern.Server({ name: 'test', version: '1.0.0' }, { capabilities: { tools: {} } })
      server.setRequestHandler('tools/call', ({ params }) => echo(params.arguments, authInfo?.clientId))
      server.setRequestHandler('tools/list', () => ({
        tools: [{ name: 'echo', inputSchema: { type: 'object' as const } }],
      }))
      return server
    },
    { legacy: 'reject' },
  )
  const gate = modern.requireBearerAuth({
    verifier: {
      async verifyAccessToken(token) {
        const verified = await verifier.verify(token)
        if (!verified) throw new modern.OAuthError(modern.OAuthErrorCode.InvalidToken, 'The token is not active')
        return verified
      },
    },
    requiredScopes: [SCOPE],
  })
  onTestFinished(() => handler.close())
  serve(
    toNodeHandler({
      async fetch(request) {
        const body = await request
          .clone()
          .json()
          .catch(() => undefined)
        const seen = record(requests, request.headers.get('authorization') ?? undefined, request.method, body)
        const checked = await gate(request)
        const response =
          checked instanceof globalThis.Response ? checked : await handler.fetch(request, { authInfo: checked })
        seen.status = response.status
        return response
      },
      // The SDK's types do not allow for exactOptionalPropertyTypes.
    }) as unknown as RequestListener,
  )
  return Object.assign(state, { url, requests })
}
