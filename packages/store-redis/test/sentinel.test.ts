import { redisProgram, startSentinel, type TestSentinel, until } from '@tokenward/local-servers'
import { redisStore } from '@tokenward/store-redis'
import { storeConformance } from '@tokenward/store-testkit'
import type { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis-5'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const MINUTE = 60_000
const key = 'f'.repeat(64)

describe.skipIf(!(await redisProgram()))('on Redis with Sentinel', () => {
  let sentinel: TestSentinel
  let client: Redis
  let client5: Redis5
  beforeAll(async () => {
    sentinel = await startSentinel()
    await sentinel.noticesDeathAfter(MINUTE)
    client = sentinel.connect()
    client5 = new Redis5(sentinel.options)
    client5.on('error', () => undefined)
  })
  afterAll(async () => {
    client5?.disconnect()
    await sentinel?.stop()
  })

  describe('with ioredis 6', () => {
    storeConformance({ test, shortestTtlMs: 20, supportsGroups: true, createStore: () => redisStore(client) })
  })

  describe('with ioredis 5', () => {
    storeConformance({ test, shortestTtlMs: 20, supportsGroups: true, createStore: () => redisStore(client5) })
  })

  // Last: the master does not come back.
  test('when the master dies, the replica takes over values, leases and scripts', async () => {
    const store = redisStore(client)
    await store.set(key, 'value', 10 * MINUTE)
    const lease = (await store.lease(key, 10 * MINUTE, 'value'))?.lease
    expect(await client.wait(1, 5_000)).toBe(1)
    const before = await sentinel.master()
    await sentinel.noticesDeathAfter(1_000)
    before.signal('SIGKILL')
    await until('the store works again', async () => (await store.get(key)) === 'value')
    await until('the Sentinels agree', async () => (await sentinel.master()).pid !== before.pid)
    expect(await store.lease(key, MINUTE, 'value')).toBeUndefined()
    expect(await lease?.commit('newer', 10 * MINUTE)).toBe(true)
    expect(await store.get(key)).toBe('newer')
  })
})
