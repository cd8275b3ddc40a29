import {
  ConfigurationError,
  type OutgoingRequest,
  type RequestTokenParameters,
  snapshotParameters,
  type TokenManager,
  type TokenParameters,
} from '@tokenward/core'
import { type AuthorizedFetch, createFetch } from '@tokenward/fetch'
import type { McpAuth } from './mcp-auth'
import { McpUnauthorizedError } from './mcp-unauthorized-error'
import type { McpAuthOptions } from './options'

/**
 * Options of an MCP transport that attach access tokens. All transports to one MCP server can share the object, and all clients of
 * a token manager share the token.
 *
 * @example
 * const url = new URL('https://mcp.company.com/mcp')
 * const transport = new StreamableHTTPClientTransport(url, createMcpAuth(tokens, 'mcp.client', { serverUrl: url }))
 *
 * @throws ConfigurationError when `tokens` is no token manager, when `serverUrl` is missing or no http(s) URL, or when tokens would
 * travel by plain http
 */
export function createMcpAuth<Name extends string>(
  tokens: TokenManager<Name>,
  client: NoInfer<Name>,
  options: McpAuthOptions,
): McpAuth {
  const { serverUrl: given, tokenParameters: requested, ...more } = options ?? {}
  const serverUrl = checkUrl(client, given)
  const tokenParameters = withResource(requested, resourceOf(serverUrl))
  const authorized = named(() => createFetch<Name>(tokens, client, { ...more, tokenParameters, baseURL: serverUrl }))
  const rejections = new WeakSet<Response>()

  const fetch: AuthorizedFetch = async (input, init) => {
    const response = await authorized(input, init)
    if (response.status === 401) rejections.add(response)
    return response
  }

  return {
    fetch,
    authProvider: {
      token: async () => undefined,
      async onUnauthorized({ response }) {
        if (!rejections.has(response)) {
          const message = 'missing in the options of the transport: pass it the whole result of createMcpAuth'
          throw new ConfigurationError([{ client, option: 'fetch', message }])
        }
        // The SDK does not read it after an error, and an unread body keeps its connection.
        void response.body?.cancel().catch(() => {})
        const resource = typeof tokenParameters === 'function' ? undefined : tokenParameters.resource?.toString()
        throw new McpUnauthorizedError({ client, serverUrl: serverUrl.href, resource, response })
      },
    },
  }
}

function checkUrl(client: string, serverUrl: unknown): URL {
  if (!(serverUrl instanceof URL) && !URL.canParse(String(serverUrl))) {
    const message = serverUrl === undefined ? 'missing: the URL of the MCP server' : 'must be a URL'
    throw new ConfigurationError([{ client, option: 'serverUrl', message }])
  }
  return new URL(String(serverUrl))
}

/** Runs `create`. Its problems name `serverUrl`, which is what the user typed. */
function named<T>(create: () => T): T {
  try {
    return create()
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    const rename = (option: string) => (option === 'baseURL' ? 'serverUrl' : option)
    throw new ConfigurationError(error.problems.map((problem) => ({ ...problem, option: rename(problem.option) })))
  }
}

/**
 * The canonical URI of an MCP server, which MCP clients have to send as the resource (MCP authorization, "Resource Parameter
 * Implementation"): without fragment, and without the slash that stands for an empty path. Also without the query, which a resource
 * should not have (RFC 8707 §2), and which may hold a key.
 */
function resourceOf({ origin, pathname }: URL): string {
  return pathname === '/' ? origin : origin + pathname
}

function withResource(
  requested: RequestTokenParameters | undefined,
  resource: string,
): TokenParameters | ((request: OutgoingRequest) => Promise<TokenParameters>) {
  if (typeof requested !== 'function') return snapshotParameters({ resource, ...requested })
  return async (request) => ({ resource, ...(await requested(request)) })
}
