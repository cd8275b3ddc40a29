import { hasRedis, startRedis, type TestRedis, until } from '@tokenward/local-servers'
import { type RedisClient, redisStore } from '@tokenward/store-redis'
import { fleet, MINUTE, newKey } from '@tokenward/test-support'
import type { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

describe.skipIf(!(await hasRedis()))('keys that somebody else wrote', () => {
  let redis: TestRedis
  let client: Redis
  beforeAll(async () => {
    redis = await startRedis()
    client = redis.connect()
  })
  afterAll(() => redis?.stop())

  function setup() {
    const keyPrefix = `${newKey()}:`
    return { keyPrefix, store: redisStore(client, { keyPrefix }), key: newKey(), group: newKey() }
  }

  test('a value that takes longer to read than the store may take is reported once, and replaced', async () => {
    const { keyPrefix } = setup()
    const { start, failures, provider } = await fleet()
    const process = () => start(redisStore(client, { keyPrefix }))
    await process().getAccessToken('c')
    let key = ''
    await until('the token is in Redis', async () => {
      key = (await client.keys(`${keyPrefix}{*}`)).find((each) => each.endsWith('}')) ?? ''
      return key !== ''
    })
    await client.eval("return redis.call('SET', KEYS[1], string.rep('x', 100 * 1024 * 1024))", 1, key)
    const { value } = await process().getAccessToken('c')
    expect(failures).toEqual([{ operation: 'lease', reason: 'value_too_large' }])
    await until('it is replaced', async () => (await client.strlen(key)) < 10_000)
    expect((await process().getAccessToken('c')).value).toBe(value)
    expect(provider.tokenRequests).toHaveLength(2)
  })

  test('a value that is too large to be read again is not kept', async () => {
    const { store, key } = setup()
    await expect(store.set(key, 'x'.repeat(5 * 1024 * 1024), MINUTE)).rejects.toMatchObject({ code: 'value_too_large' })
    expect(await store.get(key)).toBeUndefined()
  })

  test('a lease that never expires is reported, and replaced', async () => {
    const { keyPrefix, store, key } = setup()
    await client.set(`${keyPrefix}{${key}}:lease`, 'nobody')
    const result = await store.lease(key, MINUTE)
    expect(result?.lease && result.unreadable).toMatchObject({ code: 'lease_without_expiry' })
    expect(await store.lease(key, MINUTE)).toBeUndefined()
    expect(await result?.lease?.commit('token', MINUTE)).toBe(true)
    expect(await store.get(key)).toBe('token')
  })

  test('a value of another type is a failure of the first get only', async () => {
    const { keyPrefix, store, key } = setup()
    await client.lpush(`${keyPrefix}{${key}}`, 'a list')
    await expect(store.get(key)).rejects.toMatchObject({ code: 'WRONGTYPE' })
    expect(await store.get(key)).toBeUndefined()
  })

  test('a failure of get deletes no value that somebody wrote meanwhile', async () => {
    const { keyPrefix, store, key } = setup()
    await store.set(key, 'token', MINUTE)
    const reading: RedisClient = {
      get: () => Promise.reject(new Error('WRONGTYPE Operation against a key holding the wrong kind of value')),
      set: (...args) => client.set(...args),
      del: (...args) => client.del(...args),
      eval: (...args) => client.eval(...args),
    }
    await expect(redisStore(reading, { keyPrefix }).get(key)).rejects.toMatchObject({ code: 'WRONGTYPE' })
    expect(await store.get(key)).toBe('token')
  })

  test('an index of another type is reported once by a lease, and replaced', async () => {
    const { keyPrefix, store, group } = setup()
    await client.set(`${keyPrefix}group:{${group}}`, 'a string')
    const [first, second] = [
      await store.lease(newKey(), MINUTE, undefined, group),
      await store.lease(newKey(), MINUTE, undefined, group),
    ]
    expect(first?.lease && first.unreadable).toMatchObject({ code: 'WRONGTYPE' })
    expect(second?.lease && second.unreadable).toBeUndefined()
    expect(await first?.lease?.commit('token', MINUTE, group)).toBe(true)
  })

  test('an index of another type is reported once by set, which keeps the value all the same', async () => {
    const { keyPrefix, store, key, group } = setup()
    await client.set(`${keyPrefix}group:{${group}}`, 'a string')
    await expect(store.set(key, 'token', MINUTE, group)).rejects.toMatchObject({ code: 'WRONGTYPE' })
    expect(await store.get(key)).toBe('token')
    await store.set(key, 'token', MINUTE, group)
    await store.deleteGroup(group)
    expect(await store.get(key)).toBeUndefined()
  })

  test('deleting a group whose index is of another type fails once: its members are unknown', async () => {
    const { keyPrefix, store, group } = setup()
    await client.set(`${keyPrefix}group:{${group}}`, 'a string')
    await expect(store.deleteGroup(group)).rejects.toMatchObject({ code: 'WRONGTYPE' })
    await store.deleteGroup(group)
  })

  test.each(['inf', '1e300', '9007199254740993'])('a score of %s in an index stops no write', async (score) => {
    const { keyPrefix, store, key, group } = setup()
    const index = `${keyPrefix}group:{${group}}`
    await client.zadd(index, score, 'of somebody else')
    await store.set(key, 'token', MINUTE, group)
    expect(await client.pttl(index)).toBeGreaterThan(MINUTE)
    expect(await client.pttl(index)).toBeLessThan(2 * 60 * MINUTE)
    await store.deleteGroup(group)
    expect(await store.get(key)).toBeUndefined()
  })

  test('deleting a group deletes nothing outside the prefix, whatever its index has', async () => {
    const { keyPrefix, store, group } = setup()
    const other = newKey()
    await client.set(other, 'of somebody else', 'PX', MINUTE)
    await client.zadd(`${keyPrefix}group:{${group}}`, Date.now() + MINUTE, other, Date.now() + MINUTE, `}${other}`)
    await store.deleteGroup(group)
    expect(await client.get(other)).toBe('of somebody else')
  })
})

describe('replies that Redis does not give', () => {
  const replying = (reply: unknown): RedisClient => {
    const run = async () => reply as string
    return { get: run, set: run, del: run, eval: run }
  }

  test.each([[5], [true], [[]], [{}], [['value']], [['value', 5]], [['other', 'x']], [Buffer.from('value')]])(
    'a lease that gets %j fails, so that nobody waits for it',
    async (reply) => {
      await expect(redisStore(replying(reply)).lease('key', MINUTE)).rejects.toMatchObject({ code: 'unexpected_reply' })
    },
  )

  test.each([[5], [true], [[]], [{}], [['value']], [Buffer.from('value')]])(
    'a get that gets %j fails',
    async (reply) => {
      await expect(redisStore(replying(reply)).get('key')).rejects.toMatchObject({ code: 'unexpected_reply' })
    },
  )
})

describe('leases that Redis may have granted, while it is away', () => {
  function away() {
    const orphanedIds: string[][] = []
    let isAway = true
    const refuse = () => Promise.reject(new Error('Connection is closed.'))
    const client: RedisClient = {
      get: refuse,
      set: refuse,
      del: refuse,
      async eval(_script, numberOfKeys, ...args) {
        if (isAway) return refuse()
        orphanedIds.push(args.slice(numberOfKeys + 3))
        return ['wait']
      },
    }
    const back = () => {
      isAway = false
    }
    return { store: redisStore(client), orphanedIds, back }
  }

  test('no more than 10,000 keys and 20 leases of a key are remembered', async () => {
    const { store, orphanedIds, back } = away()
    const lease = (key: string) => Promise.resolve(store.lease(key, MINUTE)).catch(() => undefined)
    for (let index = 0; index < 10_001; index++) await lease(`key ${index}`)
    for (let index = 0; index < 30; index++) await lease('again and again')
    back()
    for (const key of ['key 0', 'key 10000', 'again and again']) await lease(key)
    expect(orphanedIds.map((ids) => ids.length)).toEqual([0, 1, 20])
  })
})
