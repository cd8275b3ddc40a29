import { commandsDuring, hasRedis, startRedis, type TestRedis, until } from '@tokenward/local-servers'
import { redisStore } from '@tokenward/store-redis'
import { fleet, MINUTE, newKey } from '@tokenward/test-support'
import type { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

describe.skipIf(!(await hasRedis()))('entries in Redis', () => {
  let redis: TestRedis
  let client: Redis
  beforeAll(async () => {
    redis = await startRedis()
    client = redis.connect()
  })
  afterAll(() => redis?.stop())

  /** Waits for the fleet's one token, and returns its key. */
  async function keyOf(keyPrefix: string): Promise<string> {
    let keys: string[] = []
    await until('the token is in Redis', async () => {
      keys = (await client.keys(`${keyPrefix}{*}`)).filter((key) => key.endsWith('}'))
      return keys.length === 1
    })
    return String(keys[0])
  }

  async function setup() {
    const keyPrefix = `${newKey()}:`
    const { start, ...fleetOver } = await fleet()
    // Each call starts another process.
    return { ...fleetOver, keyPrefix, start: () => start(redisStore(client, { keyPrefix })) }
  }

  test.each<[string, (entry: string) => string | Buffer]>([
    ['rubbish', () => Buffer.from([0xff, 0x00, 0xfe, 0x7b])],
    ['an empty value', () => ''],
    ['the entry of another key', (entry) => entry.replace(/"key":"[0-9a-f]{8}/, '"key":"ffffffff')],
    ['an entry of an older format', (entry) => entry.replace('"v":1', '"v":0')],
    ['half an entry', (entry) => entry.slice(0, entry.length / 2)],
    ['a list in JSON', () => '[]'],
  ])('%s is a miss, is reported, and is replaced', async (_what, spoil) => {
    const { provider, failures, keyPrefix, start } = await setup()
    const first = await start().getAccessToken('c')
    const key = await keyOf(keyPrefix)
    await client.set(key, spoil(String(await client.get(key))), 'PX', MINUTE)

    const next = await start().getAccessToken('c')
    expect(next.value).not.toBe(first.value)
    expect(failures).toEqual([{ operation: 'get', reason: 'invalid_entry' }])
    await until('it is replaced', async () => String(await client.get(key)).includes(next.value))
    expect((await start().getAccessToken('c')).value).toBe(next.value)
    expect(provider.tokenRequests).toHaveLength(2)
  })

  test('a value of another type (WRONGTYPE) is reported once, and replaced', async () => {
    const { failures, keyPrefix, start } = await setup()
    await start().getAccessToken('c')
    const key = await keyOf(keyPrefix)
    await client.del(key)
    await client.lpush(key, 'a list')
    const { value } = await start().getAccessToken('c')
    expect(failures).toEqual([{ operation: 'lease', reason: 'WRONGTYPE' }])
    await until('it is replaced', async () => (await client.type(key)) === 'string')
    expect((await start().getAccessToken('c')).value).toBe(value)
  })

  test('a lease and an index of another type are replaced', async () => {
    const { keyPrefix } = await setup()
    const store = redisStore(client, { keyPrefix })
    const [key, group] = [newKey(), newKey()]
    await client.lpush(`${keyPrefix}{${key}}:lease`, 'a list')
    await client.set(`${keyPrefix}group:{${group}}`, 'a string')
    const result = await store.lease(key, MINUTE, undefined, group)
    expect(result?.lease && result.unreadable).toMatchObject({ code: 'WRONGTYPE' })
    expect(await result?.lease?.commit('token', MINUTE, group)).toBe(true)
    await store.deleteGroup(group)
    expect(await store.get(key)).toBeUndefined()
  })

  test('a commit and a release under a lease of another type end, and leave no token behind', async () => {
    const { keyPrefix } = await setup()
    const store = redisStore(client, { keyPrefix })
    const key = newKey()
    const held = (await store.lease(key, MINUTE))?.lease
    await client.del(`${keyPrefix}{${key}}:lease`)
    await client.lpush(`${keyPrefix}{${key}}:lease`, 'a list')
    expect(await held?.commit('token', MINUTE)).toBe(false)
    await held?.release()
    expect(await client.keys(`${keyPrefix}*`)).toEqual([`${keyPrefix}{${key}}:lease`])
    expect((await store.lease(key, MINUTE))?.lease).toBeDefined()
  })

  test('get of a value of another type fails with WRONGTYPE, and set replaces it', async () => {
    const { keyPrefix } = await setup()
    const store = redisStore(client, { keyPrefix })
    const key = newKey()
    await client.lpush(`${keyPrefix}{${key}}`, 'a list')
    await expect(store.get(key)).rejects.toMatchObject({ code: 'WRONGTYPE' })
    await store.set(key, 'token', MINUTE)
    expect(await store.get(key)).toBe('token')
  })

  test('only a granted lease is listed in the index of its group', async () => {
    const store = redisStore(client)
    const [key, group] = [newKey(), newKey()]
    const indexings = async () => {
      const commands = await commandsDuring(redis, async () => {
        await store.lease(key, MINUTE, undefined, group)
      })
      return commands.filter(({ name, line }) => name === 'eval' && line.includes(group)).length
    }
    expect(await indexings()).toBe(1)
    // Now the lease is held.
    expect(await indexings()).toBe(0)
    await store.set(key, 'value', MINUTE)
    expect(await indexings()).toBe(0)
  })

  test('a lease does not shorten the time that a key stays in the index of its group', async () => {
    const store = redisStore(client)
    const [key, group] = [newKey(), newKey()]
    await store.set(key, 'value', MINUTE, group)
    const before = await client.zscore(`tokenward:group:{${group}}`, key)
    expect((await store.lease(key, MINUTE / 2, 'value', group))?.lease).toBeDefined()
    expect(await client.zscore(`tokenward:group:{${group}}`, key)).toBe(before)
  })

  test('clear deletes every key of the client, whichever process stored it', async () => {
    const { keyPrefix, start } = await setup()
    const tokens = start()
    await tokens.getAccessToken('c')
    await tokens.getAccessToken('c', { parameters: { tenant: 'a' } })
    await tokens.getAccessToken('c', { parameters: { tenant: 'b' } })
    await until('the tokens are in Redis', async () => (await client.keys(`${keyPrefix}{*}`)).length === 3)
    await start().clear('c')
    expect(await client.keys(`${keyPrefix}*`)).toEqual([])
  })
})
