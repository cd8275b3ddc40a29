import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { commandsDuring, hasRedis, startFaultProxy, startRedis, type TestRedis, until } from '@tokenward/local-servers'
import { type RedisClient, type RedisStore, redisStore } from '@tokenward/store-redis'
import { storeConformance } from '@tokenward/store-testkit'
import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis-5'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

// Others may use the same Redis at the same time.
const TOKEN = randomBytes(100).toString('base64url')
const MINUTE = 60_000

const newKey = () => randomBytes(32).toString('hex')

async function leaseOf(store: RedisStore, key: string, leaseMs = MINUTE, staleValue?: string, group?: string) {
  const result = await store.lease(key, leaseMs, staleValue, group)
  if (!result?.lease) throw new Error('no lease')
  return result.lease
}

describe.skipIf(!(await hasRedis()))('on a standalone Redis', () => {
  let redis: TestRedis
  let client: Redis
  let store: RedisStore
  beforeAll(async () => {
    redis = await startRedis()
    client = redis.connect()
    store = redisStore(client)
  })
  afterAll(() => redis?.stop())

  describe('every store’s tests pass', () => {
    describe('with ioredis 6', () => {
      storeConformance({ test, shortestTtlMs: 20, supportsGroups: true, createStore: () => store })
    })

    describe('with ioredis 5', () => {
      let client5: Redis5
      beforeAll(() => {
        client5 = new Redis5(redis.url)
      })
      afterAll(() => client5.disconnect())
      storeConformance({ test, shortestTtlMs: 20, supportsGroups: true, createStore: () => redisStore(client5) })
    })

    describe('with ioredis 6 and replies mapped as RESP3 has them', () => {
      let mapped: Redis<'resp3'>
      beforeAll(() => {
        mapped = new Redis<'resp3'>(redis.url, { replyMapping: 'resp3' })
      })
      afterAll(() => mapped.disconnect())
      storeConformance({ test, shortestTtlMs: 20, supportsGroups: true, createStore: () => redisStore(mapped) })
    })

    describe.each([
      ['a key prefix of the client', { keyPrefix: 'app:' }],
      ['numbers as strings', { stringNumbers: true }],
      ['automatic pipelines', { enableAutoPipelining: true }],
      ['RESP2', { protocol: 2 }],
    ] as const)('with a client that has %s', (_what, options) => {
      storeConformance({
        test,
        shortestTtlMs: 20,
        supportsGroups: true,
        createStore: () => redisStore(redis.connect(options)),
      })
    })
  })

  test('keys have the prefix and a hash tag, and expire with their values', async () => {
    for (const [keyPrefix, options] of [
      ['tokenward:', {}],
      ['fleet a:', { keyPrefix: 'fleet a:' }],
      ['', { keyPrefix: '' }],
    ] as const) {
      const key = newKey()
      const prefixed = redisStore(client, options)
      await prefixed.set(key, 'stale', MINUTE)
      await leaseOf(prefixed, key, MINUTE / 2, 'stale')
      expect(await client.get(`${keyPrefix}{${key}}`)).toBe('stale')
      // However slow the machine is, half a minute has not passed.
      const leftMs = async (name: string) => client.pttl(`${keyPrefix}{${key}}${name}`)
      expect(await leftMs('')).toSatisfy((ms: number) => ms > MINUTE / 2 && ms <= MINUTE)
      expect(await leftMs(':lease')).toSatisfy((ms: number) => ms > 0 && ms <= MINUTE / 2)
    }
  })

  test('stores with different prefixes share nothing', async () => {
    const key = newKey()
    await redisStore(client, { keyPrefix: 'a:' }).set(key, 'value', MINUTE)
    expect(await redisStore(client, { keyPrefix: 'b:' }).get(key)).toBeUndefined()
  })

  test('a token is in no argument of EVAL or EVALSHA, and in no key but its own', async () => {
    const key = newKey()
    const commands = await commandsDuring(redis, async () => {
      await store.set(key, `${TOKEN}-0`, MINUTE)
      for (const round of [1, 2]) {
        const lease = await leaseOf(store, key, MINUTE, `${TOKEN}-${round - 1}`)
        expect(await lease.commit(`${TOKEN}-${round}`, MINUTE)).toBe(true)
      }
      // Scripts are sent whole after this.
      await client.script('FLUSH')
      const lease = await leaseOf(store, key, MINUTE, `${TOKEN}-2`)
      await client.script('FLUSH')
      expect(await lease.commit(`${TOKEN}-3`, MINUTE)).toBe(true)
    })
    const carrying = commands.filter((command) => command.line.includes(TOKEN))
    expect(carrying.map(({ name }) => name)).toEqual(['set', 'set', 'set', 'set'])
    expect(commands.filter(({ name }) => name === 'eval').length).toBeGreaterThanOrEqual(6)
  })

  test('one command returns a value or a lease', async () => {
    const key = newKey()
    // Also when Redis has never seen the script.
    await client.script('FLUSH')
    const commands = await commandsDuring(redis, async () => {
      await store.lease(key, MINUTE)
    })
    expect(commands.filter(({ line }) => line.includes(key) && !line.includes('lua')).map(({ name }) => name)).toEqual([
      'eval',
    ])
  })

  test('a commit that is under way does not bring back what is deleted', async () => {
    const key = newKey()
    const lease = await leaseOf(store, key)
    await store.delete(key)
    expect(await lease.commit('late', MINUTE)).toBe(false)
    expect(await store.get(key)).toBeUndefined()
    await leaseOf(store, key)
  })

  test('a commit leaves only the value behind, with a valid lease or without', async () => {
    const key = newKey()
    const late = await leaseOf(store, key, 20)
    await sleep(40)
    const next = await leaseOf(store, key)
    expect(await late.commit('late', MINUTE)).toBe(false)
    expect(await next.commit('value', MINUTE)).toBe(true)
    expect(await client.keys(`*${key}*`)).toEqual([`tokenward:{${key}}`])
  })

  test('a commit of a token without time left stores nothing and ends the lease', async () => {
    const key = newKey()
    await store.set(key, 'before', MINUTE)
    const lease = await leaseOf(store, key, MINUTE, 'before')
    expect(await lease.commit('over', 0)).toBe(true)
    expect(await client.keys(`*${key}*`)).toEqual([])
  })

  test('of two clients that race, one gets the lease, and both get its value', async () => {
    const stores = [store, redisStore(redis.connect())]
    for (let round = 0; round < 50; round++) {
      const key = newKey()
      const results = await Promise.all(Array.from({ length: 20 }, (_, index) => stores[index % 2]?.lease(key, MINUTE)))
      const leases = results.flatMap((result) => result?.lease ?? [])
      expect(leases.length).toBe(1)
      await leases[0]?.commit(`value ${round}`, MINUTE)
      expect(await Promise.all(stores.map((each) => each.get(key)))).toEqual([`value ${round}`, `value ${round}`])
    }
  })

  test('a lease command that is sent twice, because its connection broke, is still one lease', async () => {
    const key = newKey()
    // The connection breaks after Redis has run the command, and before its reply. The client sends the command again.
    let sent: Promise<unknown> | undefined
    const resending = redisStore({
      get: (...args) => client.get(...args),
      set: (...args) => client.set(...args),
      del: (...args) => client.del(...args),
      eval: async (...args) => {
        sent = client.eval(...args)
        await sent
        return client.eval(...args)
      },
    })
    const lease = await leaseOf(resending, key)
    expect(sent).toBeDefined()
    expect(await store.lease(key, MINUTE)).toBeUndefined()
    await lease.release()
  })

  test('a lease that the client gave up waiting for does not last for its full time', async () => {
    const { hostname, port } = new URL(redis.url)
    const proxy = await startFaultProxy(Number(port || 6_379), hostname)
    const impatient = new Redis(proxy.port, '127.0.0.1', { commandTimeout: 50 })
    try {
      const key = newKey()
      await until('the client is connected', async () => (await impatient.ping()) === 'PONG')
      proxy.stall()
      await expect(redisStore(impatient).lease(key, MINUTE)).rejects.toThrow('lease failed')
      await proxy.heal()
      await until('the lease is free', async () => Boolean((await store.lease(key, 1))?.lease))
    } finally {
      impatient.disconnect()
      await proxy.close()
    }
  })

  test('a lease that Redis granted without the client knowing is taken over by the same process, and no other', async () => {
    const key = newKey()
    let state = 'lease'
    const cut: RedisClient = {
      get: (...args) => client.get(...args),
      set: (...args) => client.set(...args),
      del: (...args) => client.del(...args),
      // Redis runs the command, and its reply is lost. The next commands are lost too, until the client has reconnected.
      eval: async (...args) => {
        if (state === 'lease') await client.eval(...args)
        if (state !== 'reconnected') {
          state = 'release'
          throw new Error('Connection is closed.')
        }
        return client.eval(...args)
      },
    }
    const one = redisStore(cut)
    await expect(one.lease(key, MINUTE)).rejects.toThrow('lease failed')
    expect(await store.lease(key, MINUTE)).toBeUndefined()
    state = 'reconnected'
    const lease = await leaseOf(one, key)
    expect(await one.lease(key, MINUTE)).toBeUndefined()
    expect(await lease.commit('value', MINUTE)).toBe(true)
    expect(await store.lease(key, MINUTE)).toEqual({ value: 'value' })
  })

  test('what a process did not get to delete, because it ended, the next deletion of the group deletes', async () => {
    const keyPrefix = `${newKey()}:`
    const store = redisStore(client, { keyPrefix })
    const [deleted, written, later, group] = [newKey(), newKey(), newKey(), newKey()]
    for (const key of [deleted, written]) await store.set(key, 'before', MINUTE, group)
    const ending = redisStore(
      {
        get: (key) => client.get(key),
        set: (key, value, unit, ms) => client.set(key, value, unit, ms),
        eval: (script, count, ...rest) => client.eval(script, count, ...rest),
        del: () => Promise.reject(new Error('the process ends here')),
      },
      { keyPrefix },
    )
    await expect(ending.deleteGroup(group)).rejects.toThrow()
    expect(await store.get(deleted)).toBe('before')
    for (const key of [written, later]) await store.set(key, 'meanwhile', MINUTE, group)
    await expect(ending.deleteGroup(group)).rejects.toThrow()
    await store.set(later, 'after', MINUTE, group)
    await store.deleteGroup(group)
    expect(await client.keys(`${keyPrefix}*`)).toEqual([])
  })

  test('a key that is written while its group is deleted is still in the index', async () => {
    const keyPrefix = `${newKey()}:`
    const store = redisStore(client, { keyPrefix })
    const [key, group] = [newKey(), newKey()]
    await store.set(key, 'before', MINUTE, group)
    const deleting = redisStore(
      {
        get: (each) => client.get(each),
        set: (each, value, unit, ms) => client.set(each, value, unit, ms),
        eval: (script, count, ...rest) => client.eval(script, count, ...rest),
        del: async (...keys) => {
          const count = await client.del(...keys)
          await store.set(key, 'after', MINUTE / 2, group)
          return count
        },
      },
      { keyPrefix },
    )
    await deleting.deleteGroup(group)
    expect(await store.get(key)).toBe('after')
    await store.deleteGroup(group)
    expect(await client.keys(`${keyPrefix}*`)).toEqual([])
  })

  test('the client stays open', async () => {
    const key = newKey()
    await store.set(key, 'value', MINUTE)
    expect(client.status).toBe('ready')
  })
})
