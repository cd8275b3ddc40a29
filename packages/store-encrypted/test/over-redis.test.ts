import { randomBytes } from 'node:crypto'
import { commandsDuring, hasRedis, startRedis, type TestRedis, until } from '@tokenward/local-servers'
import { encryptedStore, type UndecryptableValue } from '@tokenward/store-encrypted'
import { redisStore } from '@tokenward/store-redis'
import { storeConformance } from '@tokenward/store-testkit'
import { fleet, MINUTE, newKey } from '@tokenward/test-support'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

// Others may use the same Redis at the same time.
const TOKEN = randomBytes(100).toString('base64url')
const secret = crypto.getRandomValues(new Uint8Array(32))

describe.skipIf(!(await hasRedis()))('over Redis', () => {
  let redis: TestRedis
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(() => redis?.stop())

  function encrypted() {
    const inner = redisStore(redis.connect())
    const reported: UndecryptableValue[] = []
    const store = encryptedStore(inner, { keys: [secret], onUndecryptable: (error) => reported.push(error) })
    const lease = async (...args: Parameters<typeof inner.lease>) => store.lease?.(...args)
    return { inner, store, lease, reported }
  }

  storeConformance({ test, shortestTtlMs: 20, supportsGroups: true, createStore: () => encrypted().store })

  test('no part of a token is in Redis or in the commands that Redis gets', async () => {
    const { store, lease } = encrypted()
    const [kept, committed] = [newKey(), newKey()]
    const commands = await commandsDuring(redis, async () => {
      await store.set(kept, TOKEN, MINUTE)
      const first = await lease(committed, MINUTE)
      expect(await first?.lease?.commit(TOKEN, MINUTE)).toBe(true)
      const second = await lease(committed, MINUTE, TOKEN)
      expect(await second?.lease?.commit(TOKEN, MINUTE)).toBe(true)
    })
    const client = redis.connect()
    const dumps = await Promise.all(
      (await client.keys('tokenward:*')).map(
        async (key) => `${key} ${(await client.dumpBuffer(key))?.toString('latin1')}`,
      ),
    )
    const seen = [...dumps, ...commands.map(({ line }) => line)].join('\n')
    expect(seen).toContain(kept)
    expect(seen).toContain(committed)
    for (const encoding of ['utf8', 'base64', 'base64url', 'hex'] as const) {
      const text = Buffer.from(TOKEN).toString(encoding)
      for (let start = 0; start + 12 <= text.length; start++) expect(seen).not.toContain(text.slice(start, start + 12))
    }
  })

  test('a value that cannot be decrypted gives one caller a lease to replace it, and is reported', async () => {
    const { inner, store, lease, reported } = encrypted()
    const key = newKey()
    await inner.set(key, 'rubbish', MINUTE)
    const results = await Promise.all(Array.from({ length: 20 }, () => lease(key, MINUTE)))
    const leases = results.flatMap((result) => result?.lease ?? [])
    expect(leases.length).toBe(1)
    expect(reported.length).toBeGreaterThanOrEqual(1)
    expect(reported[0]).toMatchObject({ name: 'UndecryptableValue', key })
    expect(await leases[0]?.commit(TOKEN, MINUTE)).toBe(true)
    expect(await lease(key, MINUTE)).toEqual({ value: TOKEN })
    expect(await store.get(key)).toBe(TOKEN)
  })

  test('rubbish that is not text is replaced too', async () => {
    const { lease, reported } = encrypted()
    const key = newKey()
    await redis.connect().set(`tokenward:{${key}}`, Buffer.from([0xff, 0x00, 0xfe, 0x7b]))
    const held = await lease(key, MINUTE)
    expect(held?.lease).toBeDefined()
    expect(reported.length).toBe(1)
    expect(await held?.lease?.commit(TOKEN, MINUTE)).toBe(true)
    expect(await lease(key, MINUTE)).toEqual({ value: TOKEN })
  })

  describe('under a token manager', () => {
    async function setup() {
      const keyPrefix = `${newKey()}:`
      const { start, ...fleetOver } = await fleet()
      const store = () => encryptedStore(redisStore(redis.connect(), { keyPrefix }), { keys: [secret] })
      // Each call starts another process.
      return { ...fleetOver, keyPrefix, start: () => start(store()) }
    }

    test('processes share a token of which nothing is in Redis’s dump or in MONITOR', async () => {
      const { provider, keyPrefix, start } = await setup()
      const client = redis.connect()
      const values: string[] = []
      const commands = await commandsDuring(redis, async () => {
        values.push((await start().getAccessToken('c')).value)
        await until('it is in Redis', async () => (await client.keys(`${keyPrefix}{*}`)).length === 1)
        values.push((await start().getAccessToken('c')).value)
        values.push((await start().getAccessToken('c', { forceRenewal: true })).value)
      })
      expect(provider.tokenRequests).toHaveLength(2)
      expect(new Set(values).size).toBe(2)
      const dumps = await Promise.all(
        (await client.keys(`${keyPrefix}*`)).map(async (key) => (await client.dumpBuffer(key))?.toString('latin1')),
      )
      const seen = [...dumps, ...commands.map(({ line }) => line)].join('\n')
      expect(seen).toContain(keyPrefix)
      for (const value of values) {
        // The header of the JWT is no secret, and the same for all.
        const secretPart = value.slice(value.indexOf('.') + 1)
        for (let at = 0; at + 16 <= secretPart.length; at++) expect(seen).not.toContain(secretPart.slice(at, at + 16))
      }
    })

    test('a value that cannot be decrypted is a miss, is reported, and is replaced', async () => {
      const { provider, failures, keyPrefix, start } = await setup()
      const client = redis.connect()
      await start().getAccessToken('c')
      let keys: string[] = []
      await until('it is in Redis', async () => {
        keys = await client.keys(`${keyPrefix}{*}`)
        return keys.length === 1
      })
      const key = String(keys[0])
      await client.set(key, 'rubbish', 'PX', MINUTE)
      const { value } = await start().getAccessToken('c')
      expect(failures).toEqual([{ operation: 'lease', reason: 'undecryptable_value' }])
      await until('it is replaced', async () => (await client.get(key)) !== 'rubbish')
      expect((await start().getAccessToken('c')).value).toBe(value)
      expect(provider.tokenRequests).toHaveLength(2)
    })
  })

  test('when other rubbish replaces rubbish during a lease, no second lease is granted', async () => {
    const { inner, lease } = encrypted()
    const key = newKey()
    await inner.set(key, 'rubbish', MINUTE)
    expect((await lease(key, MINUTE))?.lease).toBeDefined()
    await inner.set(key, 'other rubbish', MINUTE)
    expect(await lease(key, MINUTE)).toBeUndefined()
  })

  test('a stale value is recognised, whichever process encrypted it', async () => {
    const [one, two] = [encrypted(), encrypted()]
    const key = newKey()
    await one.store.set(key, TOKEN, MINUTE)
    await two.store.set(key, TOKEN, MINUTE)
    const held = await one.lease(key, MINUTE, TOKEN)
    expect(held?.lease).toBeDefined()
    expect(await two.lease(key, MINUTE, TOKEN)).toBeUndefined()
    await held?.lease?.commit('newer', MINUTE)
    expect(await two.lease(key, MINUTE, TOKEN)).toEqual({ value: 'newer' })
  })

  test('a lease that fails in Redis fails here', async () => {
    const client = redis.connect()
    const store = encryptedStore(redisStore(client), { keys: [secret] })
    client.disconnect()
    await expect(store.lease?.(newKey(), MINUTE)).rejects.toThrow(/lease failed/)
  })
})
