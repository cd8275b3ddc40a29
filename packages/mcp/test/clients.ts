import {
  Client as Client2,
  SSEClientTransport as Sse2,
  StreamableHTTPClientTransport as Transport2,
} from '@modelcontextprotocol/client'
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js'
import { SSEClientTransport as Sse1 } from '@modelcontextprotocol/sdk/client/sse.js'
import { StreamableHTTPClientTransport as Transport1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { LoggingMessageNotificationSchema } from '@modelcontextprotocol/sdk/types.js'
import type { McpAuth } from '@tokenward/mcp'
import { onTestFinished } from 'vitest'

/** A client of one version of the SDK, as far as the tests need it. */
export interface TestClient {
  /** Calls the tool `echo`. */
  echo(text: string): Promise<string>
  /** The texts that the server has sent on the stream. */
  readonly notifications: readonly string[]
  /** What the transport reported. */
  readonly errors: readonly Error[]
}

interface ConnectOptions {
  /** Whether version 2 negotiates the protocol version. */
  readonly auto?: boolean
  /** Whether it uses the transport of MCP before 2025-03-26. */
  readonly sse?: boolean
}

type Connect = (url: URL, auth: McpAuth, options?: ConnectOptions) => Promise<TestClient>

const RECONNECTION = {
  initialReconnectionDelay: 10,
  maxReconnectionDelay: 100,
  reconnectionDelayGrowFactor: 1.5,
  maxRetries: 20,
}

const INFO = { name: 'test', version: '1.0.0' }

const textOf = (result: unknown) => String((result as { content: { text?: string }[] }).content[0]?.text)

export async function connect1(
  url: URL,
  { fetch }: Pick<McpAuth, 'fetch'>,
  { sse }: ConnectOptions = {},
): Promise<TestClient> {
  const notifications: string[] = []
  const errors: Error[] = []
  const client = new Client1(INFO)
  client.onerror = (error) => errors.push(error)
  client.setNotificationHandler(
    LoggingMessageNotificationSchema,
    ({ params }) => void notifications.push(String(params.data)),
  )
  onTestFinished(() => client.close())
  const transport = sse ? new Sse1(url, { fetch }) : new Transport1(url, { fetch, reconnectionOptions: RECONNECTION })
  // The SDK's types do not allow for exactOptionalPropertyTypes.
  await client.connect(transport as Parameters<Client1['connect']>[0])
  return {
    notifications,
    errors,
    echo: async (text) => textOf(await client.callTool({ name: 'echo', arguments: { text } })),
  }
}

export async function connect2(
  url: URL,
  auth: Pick<McpAuth, 'fetch'> & Partial<McpAuth>,
  { auto, sse }: ConnectOptions = {},
): Promise<TestClient> {
  const notifications: string[] = []
  const errors: Error[] = []
  const client = new Client2(INFO, auto ? { versionNegotiation: { mode: 'auto' } } : {})
  client.onerror = (error) => errors.push(error)
  client.setNotificationHandler('notifications/message', ({ params }) => void notifications.push(String(params.data)))
  onTestFinished(() => client.close())
  await client.connect(sse ? new Sse2(url, auth) : new Transport2(url, { ...auth, reconnectionOptions: RECONNECTION }))
  return {
    notifications,
    errors,
    echo: async (text) => textOf(await client.callTool({ name: 'echo', arguments: { text } })),
  }
}

/** How to connect a client of each version of the SDK. */
export const versions: readonly (readonly [version: string, connect: Connect])[] = [
  ['1', connect1],
  ['2', connect2],
]
