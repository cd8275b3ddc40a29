import { type ChildProcess, fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createTokenManager, refreshToken } from '@tokenward/core'
import { hasRedis, startFaultProxy, startRedis, type TestRedis, until } from '@tokenward/local-servers'
import { encryptedStore } from '@tokenward/store-encrypted'
import { redisStore } from '@tokenward/store-redis'
import { startProvider } from '@tokenward/test-support'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'

// The processes run the built files, as a user would.
const worker = fileURLToPath(new URL('worker.mjs', import.meta.url))
if (!existsSync(new URL('../dist/index.js', import.meta.url)))
  throw new Error('packages/store-encrypted is not built: pnpm run build')

async function responseOf(child: ChildProcess, message?: string): Promise<unknown> {
  const exited = once(child, 'exit').then(([code]) => Promise.reject(new Error(`the process ended with ${code}`)))
  // It also ends after the test.
  exited.catch(() => {})
  const response = once(child, 'message')
  if (message !== undefined) child.send(message)
  const [text] = await Promise.race([response, exited])
  return text
}

describe.skipIf(!(await hasRedis()))('refresh tokens in a Redis', () => {
  let redis: TestRedis
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(() => redis?.stop())

  /** A server that ends a grant when one of its refresh tokens is used twice. Each `start()` is a process with a connection of its own. */
  async function fleet() {
    const provider = await startProvider()
    const { clientId, clientSecret } = provider.client('catalog.client')
    const first = await provider.issueRefreshToken('catalog.client')
    const keys = [randomBytes(32)]
    const start = (url = redis.url) => {
      const connection = new Redis(url, { maxRetriesPerRequest: null })
      connection.on('error', () => {})
      const requester = refreshToken({ refreshToken: first })
      const tokens = createTokenManager({
        clients: { c: { issuer: provider.issuer, clientId, clientSecret, requester } },
        store: encryptedStore(redisStore(connection), { keys }),
        storeTimeoutMs: 2_000,
      })
      onTestFinished(async () => {
        await tokens.close()
        connection.disconnect()
      })
      return tokens
    }
    const sent = () => provider.tokenRequests.map(({ refreshToken: value }) => value ?? '')
    return { provider, start, sent }
  }

  test('a fleet uses each refresh token once, and nothing of it is in Redis in clear text', async () => {
    const { provider, start, sent } = await fleet()
    const processes = Array.from({ length: 6 }, () => start())
    for (let round = 0; round < 3; round++) {
      await Promise.all(
        processes.map((each, index) =>
          each.getAccessToken('c', { scope: index % 2 ? 'catalog' : 'catalog.read', forceRenewal: index < 2 }),
        ),
      )
    }
    expect(provider.tokenRequests.map(({ status }) => status)).not.toContain(400)
    expect(new Set(sent()).size).toBe(sent().length)
    const connection = redis.connect()
    const kept = (await connection.keys('*')).map(async (key) => {
      return (await connection.type(key)) === 'string' ? String(await connection.get(key)) : ''
    })
    const text = (await Promise.all(kept)).join('\n')
    expect(text.split('\n').length).toBeGreaterThan(1)
    for (const value of sent()) expect(text).not.toContain(value)
  })

  test('a process that starts again goes on with the newest refresh token, after a revocation too', async () => {
    const { provider, start, sent } = await fleet()
    const tokens = start()
    const token = await tokens.getAccessToken('c')
    await tokens.close()
    provider.revoke(token.value)
    const later = start()
    await later.rejectAccessToken('c', await later.getAccessToken('c'))
    expect((await later.getAccessToken('c')).value).not.toBe(token.value)
    expect(provider.tokenRequests.map(({ status }) => status)).toEqual([200, 200])
    expect(new Set(sent()).size).toBe(2)
  })

  test('a Redis that goes away between response and write costs no refresh token', async () => {
    const { provider, start, sent } = await fleet()
    const proxy = await startFaultProxy(Number(new URL(redis.url).port))
    onTestFinished(() => proxy.close())
    const tokens = start(`redis://127.0.0.1:${proxy.port}`)
    await tokens.getAccessToken('c')
    // The endpoint responds when the connection to Redis is gone.
    provider.tokenEndpointFaults.delayMs = 300
    const second = tokens.getAccessToken('c', { forceRenewal: true })
    await until('the token request is there', async () => provider.tokenRequests.length === 2)
    await proxy.refuse()
    await second
    await proxy.heal()
    provider.tokenEndpointFaults.delayMs = 0
    await tokens.close()
    await start().getAccessToken('c', { forceRenewal: true })
    expect(provider.tokenRequests.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(new Set(sent()).size).toBe(3)
  })

  test('processes of their own use each refresh token once, when some are killed and start again too', async () => {
    const provider = await startProvider()
    const { clientId, clientSecret } = provider.client('catalog.client')
    const argument = JSON.stringify({
      definition: { issuer: provider.issuer, clientId, clientSecret },
      first: await provider.issueRefreshToken('catalog.client'),
      key: randomBytes(32).toString('base64'),
      redisUrl: redis.url,
    })
    const children: ChildProcess[] = []
    onTestFinished(() => {
      for (const child of children) child.kill('SIGKILL')
    })
    const start = (count: number) => {
      const started = Array.from({ length: count }, () => fork(worker, [argument]))
      children.push(...started)
      return Promise.all(started.map((child) => responseOf(child)))
    }
    const scopes = ['catalog', 'catalog.read']
    const renewAll = () => Promise.all(children.map((child, index) => responseOf(child, scopes[index % 2])))
    const granted = ['catalog', 'catalog.read', 'catalog', 'catalog.read']

    await start(4)
    expect(await renewAll()).toEqual(granted)
    for (const child of children.splice(0, 2)) child.kill('SIGKILL')
    await start(2)
    expect(await renewAll()).toEqual(granted)
    const sent = provider.tokenRequests.map(({ refreshToken: value }) => value)
    expect(provider.tokenRequests.map(({ status }) => status)).not.toContain(400)
    expect(sent.length).toBeGreaterThan(3)
    expect(new Set(sent).size).toBe(sent.length)
  })
})
