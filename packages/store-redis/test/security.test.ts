import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, redisProgram, type ServerProcess, startRedisProcess } from '@tokenward/local-servers'
import { type RedisStore, redisStore } from '@tokenward/store-redis'
import { storeConformance } from '@tokenward/store-testkit'
import { MINUTE, newKey } from '@tokenward/test-support'
import { Redis, type RedisOptions } from 'ioredis'
import selfsigned from 'selfsigned'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const FAILS_FAST = { maxRetriesPerRequest: 0, retryStrategy: () => null }

function connect(options: Omit<RedisOptions, 'replyMapping'>): Redis {
  const client = new Redis({ host: '127.0.0.1', ...FAILS_FAST, ...options })
  client.on('error', () => undefined)
  return client
}

describe.skipIf(!(await redisProgram()))('an ACL user with the rule of the README', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
  const [, rule = ''] = /^ACL SETUSER \S+ on >\S+ (.*)$/m.exec(readme) ?? []
  const password = newKey()
  let server: ServerProcess
  let admin: Redis
  const clients: Redis[] = []
  beforeAll(async () => {
    server = await startRedisProcess()
    admin = connect({ port: server.port })
  })
  afterAll(async () => {
    for (const client of [admin, ...clients]) client?.disconnect()
    await server?.stop()
  })

  /** A connection of a new user with these rules. */
  async function connectAs(rules: readonly string[]): Promise<Redis> {
    const username = newKey()
    await admin.call('ACL', 'SETUSER', username, 'on', `>${password}`, ...rules)
    // Without +info, ioredis connects too, but prints a warning.
    const client = connect({ port: server.port, username, password, enableReadyCheck: rules.includes('+info') })
    clients.push(client)
    return client
  }

  describe('every store’s tests pass', () => {
    let store: RedisStore
    beforeAll(async () => {
      store = redisStore(await connectAs(rule.split(' ')))
    })
    storeConformance({ test, shortestTtlMs: 20, supportsGroups: true, createStore: () => store })
  })

  test('Redis logs no command that the rule does not allow', async () => {
    await admin.call('ACL', 'LOG', 'RESET')
    await useAll(redisStore(await connectAs(rule.split(' '))))
    expect(await admin.call('ACL', 'LOG')).toEqual([])
  })

  const commands = rule.split(' ').filter((part) => part.startsWith('+') && part !== '+info')
  test.each(commands)('the rule needs %s', async (command) => {
    const client = await connectAs(rule.split(' ').filter((part) => part !== command))
    await expect(useAll(redisStore(client))).rejects.toMatchObject({ name: 'RedisStoreError', code: 'NOPERM' })
  })

  test('the user reaches no key under another prefix', async () => {
    const client = await connectAs(rule.split(' '))
    const other = redisStore(client, { keyPrefix: 'other:' })
    for (const call of [
      () => other.get(newKey()),
      () => other.set(newKey(), 'value', MINUTE),
      () => other.delete(newKey()),
      () => other.lease(newKey(), MINUTE),
      () => other.deleteGroup(newKey()),
    ]) {
      await expect(call()).rejects.toMatchObject({ code: 'NOPERM' })
    }
  })

  test('a wrong password is an error with a code', async () => {
    const client = connect({ port: server.port, username: newKey(), password: 'wrong' })
    clients.push(client)
    await expect(redisStore(client).get(newKey())).rejects.toMatchObject({ code: 'WRONGPASS' })
  })
})

/** Uses everything that the store has, so that Redis runs every command of every script. */
async function useAll(store: RedisStore): Promise<void> {
  const [key, group] = [newKey(), newKey()]
  await store.set(key, 'value', MINUTE, group)
  expect(await store.get(key)).toBe('value')
  const lease = (await store.lease(key, MINUTE, 'value', group))?.lease
  expect(await lease?.commit('newer', MINUTE, group)).toBe(true)
  await (await store.lease(key, MINUTE, 'newer', group))?.lease?.release()
  await store.deleteGroup(group)
  expect(await store.get(key)).toBeUndefined()
  await store.delete(key)
}

describe.skipIf(!(await redisProgram()))('over TLS, with a self-signed certificate', () => {
  let folder: string
  let server: ServerProcess
  let url: string
  let certificate: string
  const clients: Redis[] = []
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tokenward-tls-'))
    const altNames = [{ type: 2 as const, value: 'localhost' }]
    const generated = await selfsigned.generate([{ name: 'commonName', value: 'localhost' }], {
      algorithm: 'sha256',
      extensions: [{ name: 'subjectAltName', altNames }],
    })
    certificate = generated.cert
    const [certPath, keyPath] = [join(folder, 'redis.crt'), join(folder, 'redis.key')]
    await writeFile(certPath, certificate)
    await writeFile(keyPath, generated.private)
    server = await startRedisProcess({
      async args() {
        const tlsPort = await freePort()
        url = `rediss://localhost:${tlsPort}`
        const files = ['--tls-cert-file', certPath, '--tls-key-file', keyPath]
        return ['--tls-port', String(tlsPort), '--tls-auth-clients', 'no', ...files]
      },
    })
  })
  afterAll(async () => {
    for (const client of clients) client.disconnect()
    await server?.stop()
    await rm(folder, { recursive: true, force: true })
  })

  function connectTo(redisUrl: string, options: Omit<RedisOptions, 'replyMapping'>): Redis {
    const client = new Redis(redisUrl, { ...FAILS_FAST, ...options })
    client.on('error', () => undefined)
    clients.push(client)
    return client
  }

  describe('every store’s tests pass for a client that trusts the certificate', () => {
    let store: RedisStore
    beforeAll(() => {
      store = redisStore(connectTo(url, { tls: { ca: certificate } }))
    })
    storeConformance({ test, shortestTtlMs: 20, supportsGroups: true, createStore: () => store })
  })

  test('a client that does not trust the certificate sends no token, and the error has a code', async () => {
    const key = newKey()
    const untrusting = redisStore(connectTo(url, {}))
    await expect(untrusting.set(key, 'value', MINUTE)).rejects.toMatchObject({ code: 'connection_closed' })
    expect(await redisStore(connectTo(url, { tls: { ca: certificate } })).get(key)).toBeUndefined()
  })

  test('a client without TLS on the TLS port gets an error with a code', async () => {
    const plain = redisStore(connectTo(url.replace('rediss:', 'redis:'), {}))
    await expect(plain.get(newKey())).rejects.toMatchObject({ code: 'connection_closed' })
  })
})
