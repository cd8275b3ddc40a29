// A process of a fleet: it calls a tool of an MCP server each time that its parent sends a message, and sends back what it got.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { createTokenManager } from '@tokenward/core'
import { createMcpAuth } from '@tokenward/mcp'
import { redisStore } from '@tokenward/store-redis'
import { Redis } from 'ioredis'

const { definition, serverUrl, redisUrl } = JSON.parse(process.argv[2] ?? '')
const tokens = createTokenManager({
  clients: { 'mcp.client': definition },
  store: redisStore(new Redis(redisUrl)),
  // Long enough for a slow machine.
  storeTimeoutMs: 10_000,
})
const url = new URL(serverUrl)
const client = new Client({ name: 'worker', version: '1.0.0' })
await client.connect(new StreamableHTTPClientTransport(url, createMcpAuth(tokens, 'mcp.client', { serverUrl: url })))

process.on('message', async (text) => {
  const result = await client.callTool({ name: 'echo', arguments: { text } }).catch((error) => String(error))
  process.send?.(result.content?.[0]?.text ?? result)
})
process.on('disconnect', () => process.exit())
process.send?.('connected')
