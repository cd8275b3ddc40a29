import { createTokenManager, type StoreFailed } from '@tokenward/core'
import { type IdentityProvider, startIdentityProvider } from '@tokenward/identity-provider'
import { hasRedis, startRedis, type TestRedis, until } from '@tokenward/local-servers'
import { redisStore } from '@tokenward/store-redis'
import type { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const MINUTE = 60_000

describe.skipIf(!(await hasRedis()))('what stands in Redis and is no token', () => {
  let redis: TestRedis
  let client: Redis
  let provider: IdentityProvider
  beforeAll(async () => {
    redis = await startRedis()
    client = redis.connect()
    provider = await startIdentityProvider()
  })
  afterAll(async () => {
    await provider?.close()
    await redis?.stop()
  })

  /** A process of the fleet that has just started, and what went wrong with its store. */
  function start(keyPrefix: string) {
    const { clientId, clientSecret } = provider.client('catalog.client')
    const tokens = createTokenManager({
      clients: { c: { tokenEndpoint: provider.tokenEndpoint, clientId, clientSecret, scope: 'catalog' } },
      store: redisStore(client, { keyPrefix }),
      // A machine that is slow is not the subject.
      storeTimeoutMs: 5_000,
    })
    const failures: StoreFailed[] = []
    tokens.on('storeFailed', (failure) => failures.push(failure))
    return { tokens, failures }
  }

  /** The key under which the fleet keeps its one token, once it is there. */
  async function keyOf(keyPrefix: string): Promise<string> {
    let keys: string[] = []
    await until('the token is in Redis', async () => {
      keys = (await client.keys(`${keyPrefix}{*}`)).filter((key) => key.endsWith('}'))
      return keys.length === 1
    })
    return String(keys[0])
  }

  let prefixes = 0
  const newPrefix = () => `entries-${process.pid}-${++prefixes}:`

  test.each<[string, (entry: string) => string | Buffer]>([
    ['rubbish', () => Buffer.from([0xff, 0x00, 0xfe, 0x7b])],
    ['an empty value', () => ''],
    ['the entry of another key', (entry) => entry.replace(/"key":"[0-9a-f]{8}/, '"key":"ffffffff')],
    ['an entry of an older format', (entry) => entry.replace('"v":1', '"v":0')],
    ['half an entry', (entry) => entry.slice(0, entry.length / 2)],
    ['a list in JSON', () => '[]'],
  ])('%s is a miss, is reported, and is replaced', async (_what, spoil) => {
    const keyPrefix = newPrefix()
    const before = provider.tokenRequests.length
    const first = await start(keyPrefix).tokens.getAccessToken('c')
    const key = await keyOf(keyPrefix)
    await client.set(key, spoil(String(await client.get(key))), 'PX', MINUTE)

    const { tokens, failures } = start(keyPrefix)
    const next = await tokens.getAccessToken('c')
    expect(next.value).not.toBe(first.value)
    expect(failures).toEqual([{ operation: 'get', reason: 'invalid_entry' }])
    await until('it is replaced', async () => String(await client.get(key)).includes(next.value))
    expect((await start(keyPrefix).tokens.getAccessToken('c')).value).toBe(next.value)
    expect(provider.tokenRequests.length - before).toBe(2)
  })

  test('a key of another kind is a failure of the store, and costs no call', async () => {
    const keyPrefix = newPrefix()
    await start(keyPrefix).tokens.getAccessToken('c')
    const key = await keyOf(keyPrefix)
    await client.del(key)
    await client.lpush(key, 'a list')
    const { tokens, failures } = start(keyPrefix)
    expect((await tokens.getAccessToken('c')).value).toBeDefined()
    expect(failures[0]).toMatchObject({ operation: 'lease' })
  })

  test('clear leaves nothing of the client, whatever process has asked for it', async () => {
    const keyPrefix = newPrefix()
    const { tokens } = start(keyPrefix)
    await tokens.getAccessToken('c')
    await tokens.getAccessToken('c', { parameters: { tenant: 'a' } })
    await tokens.getAccessToken('c', { parameters: { tenant: 'b' } })
    await until('they are there', async () => (await client.keys(`${keyPrefix}{*}`)).length === 3)
    await start(keyPrefix).tokens.clear('c')
    expect(await client.keys(`${keyPrefix}*`)).toEqual([])
  })
})
