import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { hasRedis, startRedis } from '@tokenward/local-servers'
import { expect, onTestFinished, test } from 'vitest'
import { revoke, SCOPE } from './authorization'
import { startSessionServer } from './mcp-server'
import { startMcpProvider } from './support'

// The processes run the built files, as a user would.
const worker = fileURLToPath(new URL('worker.mjs', import.meta.url))
if (!existsSync(new URL('../dist/index.js', import.meta.url)))
  throw new Error('packages/mcp is not built: pnpm run build')

async function responseOf(child: ChildProcess, message?: string): Promise<unknown> {
  const exited = once(child, 'exit').then(([code]) => Promise.reject(new Error(`the process ended with ${code}`)))
  // It also ends after the test.
  exited.catch(() => {})
  const response = once(child, 'message')
  if (message !== undefined) child.send(message)
  const [text] = await Promise.race([response, exited])
  return text
}

test.skipIf(!(await hasRedis()))(
  'processes that share a Redis share the token, and the new one after its revocation',
  async () => {
    const redis = await startRedis()
    onTestFinished(() => redis.stop())
    const provider = await startMcpProvider()
    const server = await startSessionServer(provider)
    const { clientId, clientSecret } = provider.client('mcp.client')
    const definition = { issuer: provider.issuer, clientId, clientSecret, scope: SCOPE }
    const argument = JSON.stringify({ definition, serverUrl: server.url, redisUrl: redis.url })
    const children = Array.from({ length: 2 }, () => fork(worker, [argument]))
    onTestFinished(() => {
      for (const child of children) child.kill('SIGKILL')
    })
    const all = (message?: string) => Promise.all(children.map((child) => responseOf(child, message)))

    expect(await all()).toEqual(['connected', 'connected'])
    expect(await all('before')).toEqual(['before for mcp.client', 'before for mcp.client'])
    expect(provider.tokenRequests).toHaveLength(1)
    await revoke(provider, String(server.tokens()[0]))
    expect(await all('after')).toEqual(['after for mcp.client', 'after for mcp.client'])
    expect(provider.tokenRequests).toHaveLength(2)
    expect(server.tokens()).toHaveLength(2)
  },
)
