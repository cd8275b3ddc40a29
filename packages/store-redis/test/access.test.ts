import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, redisProgram, type ServerProcess, startRedisProcess } from '@tokenward/local-servers'
import { redisStore } from '@tokenward/store-redis'
import { storeConformance } from '@tokenward/store-testkit'
import { fleet, MINUTE, newKey } from '@tokenward/test-support'
import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis-5'
import selfsigned from 'selfsigned'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'

const PASSWORD = randomBytes(16).toString('hex')

describe.skipIf(!(await redisProgram()))('over TLS, with a certificate of our own', () => {
  let server: ServerProcess
  let folder: string
  let certificate: string
  let tlsPort: number
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tokenward-tls-'))
    const { cert, private: key } = await selfsigned.generate([{ name: 'commonName', value: '127.0.0.1' }], {
      algorithm: 'sha256',
      extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
    })
    certificate = cert
    const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
    await Promise.all([writeFile(certFile, cert), writeFile(keyFile, key)])
    server = await startRedisProcess({
      async args() {
        // New in each attempt: another process may have taken it.
        tlsPort = await freePort()
        const files = ['--tls-cert-file', certFile, '--tls-key-file', keyFile, '--tls-ca-cert-file', certFile]
        return ['--tls-port', String(tlsPort), ...files, '--tls-auth-clients', 'no']
      },
    })
  })
  afterAll(async () => {
    await server?.stop()
    await rm(folder, { recursive: true, force: true })
  })

  function connect(tls: { ca?: string }): Redis {
    const client = new Redis(`rediss://127.0.0.1:${tlsPort}`, {
      tls,
      maxRetriesPerRequest: 0,
      retryStrategy: () => null,
    })
    client.on('error', () => undefined)
    onTestFinished(() => client.disconnect())
    return client
  }

  describe('every store’s tests pass', () => {
    let client: Redis
    beforeAll(() => {
      client = new Redis(`rediss://127.0.0.1:${tlsPort}`, { tls: { ca: certificate } })
    })
    afterAll(() => client.disconnect())
    storeConformance({ test, shortestTtlMs: 20, supportsGroups: true, createStore: () => redisStore(client) })
  })

  test('processes share one token', async () => {
    const { provider, failures, start } = await fleet()
    const first = await start(redisStore(connect({ ca: certificate }))).getAccessToken('c')
    const next = start(redisStore(connect({ ca: certificate })))
    expect((await next.getAccessToken('c')).value).toBe(first.value)
    expect(provider.tokenRequests).toHaveLength(1)
    expect(failures).toEqual([])
  })

  test('a server whose certificate nobody vouches for gets nothing, and calls go on', async () => {
    const { failures, start } = await fleet()
    const strict = connect({})
    expect((await start(redisStore(strict)).getAccessToken('c')).value).toBeTruthy()
    expect(failures[0]).toEqual({ operation: 'lease', reason: expect.stringMatching(/^\w+$/) })
    await expect(strict.ping()).rejects.toThrow()
    expect(strict.status).not.toBe('ready')
  })
})

const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
/** The rules that the README gives. */
const RULES = String(/^ACL SETUSER worker on >password (.+)$/m.exec(readme)?.[1]).split(' ')

describe.skipIf(!(await redisProgram()))('as a user that may touch one prefix only', () => {
  let server: ServerProcess
  let admin: Redis
  beforeAll(async () => {
    server = await startRedisProcess()
    admin = new Redis(server.port, '127.0.0.1')
    await admin.call('ACL', 'SETUSER', 'worker', 'reset', 'on', `>${PASSWORD}`, ...RULES)
  })
  afterAll(async () => {
    admin?.disconnect()
    await server?.stop()
  })

  const options = () => ({
    host: '127.0.0.1',
    port: server.port,
    username: 'worker',
    password: PASSWORD,
    enableReadyCheck: false,
  })

  describe.each([
    ['ioredis 6', () => new Redis(options())],
    ['ioredis 5', () => new Redis5(options())],
  ])('every store’s tests pass with %s', (_version, connect) => {
    let client: Redis | Redis5
    beforeAll(() => {
      client = connect()
    })
    afterAll(() => client.disconnect())
    storeConformance({ test, shortestTtlMs: 20, supportsGroups: true, createStore: () => redisStore(client) })
  })

  async function worker(name: string, rules: readonly string[]): Promise<Redis> {
    await admin.call('ACL', 'SETUSER', name, 'reset', 'on', `>${PASSWORD}`, ...rules)
    const client = new Redis({ ...options(), username: name })
    onTestFinished(() => client.disconnect())
    return client
  }

  test('the user may touch no other key and no other command', async () => {
    const client = await worker('strict', RULES)
    await expect(client.get('other:key')).rejects.toThrow(/NOPERM/)
    await expect(client.keys('*')).rejects.toThrow(/NOPERM/)
    await expect(client.eval("return redis.call('GET', 'other:key')", 0)).rejects.toThrow(/can't access|NOPERM/)
    await expect(redisStore(client, { keyPrefix: 'other:' }).get(newKey())).rejects.toMatchObject({ code: 'NOPERM' })
  })

  test.each(RULES)('the rule %s is needed', async (rule) => {
    const store = redisStore(
      await worker(
        `without-${RULES.indexOf(rule)}`,
        RULES.filter((each) => each !== rule),
      ),
    )
    const useAll = async () => {
      const [key, other, group] = [newKey(), newKey(), newKey()]
      await store.set(key, 'token', MINUTE, group)
      await store.get(key)
      const result = await store.lease(other, MINUTE, undefined, group)
      await result?.lease?.commit('token', MINUTE, group)
      await store.delete(key)
      await store.deleteGroup(group)
    }
    await expect(useAll()).rejects.toMatchObject({ code: 'NOPERM' })
  })

  test('a client with default options needs INFO for its ready check', async () => {
    const client = await worker('ready', [...RULES, '+info'])
    const { enableReadyCheck: _, ...defaults } = options()
    const ready = new Redis({ ...defaults, username: 'ready' })
    onTestFinished(() => ready.disconnect())
    await redisStore(ready).set(newKey(), 'token', MINUTE)
    expect([client.status, ready.status]).toEqual(['ready', 'ready'])
  })

  test('a token manager works, and clears what it stored', async () => {
    const client = await worker('manager', RULES)
    const { failures, start } = await fleet()
    const tokens = start(redisStore(client))
    await tokens.getAccessToken('c')
    await tokens.getAccessToken('c', { forceRenewal: true })
    await tokens.clear('c')
    expect(failures).toEqual([])
  })
})
