import { randomBytes } from 'node:crypto'
import { redisProgram, startCluster, type TestCluster, until } from '@tokenward/local-servers'
import { redisStore } from '@tokenward/store-redis'
import { storeConformance } from '@tokenward/store-testkit'
import type { Cluster } from 'ioredis'
import { Cluster as Cluster5 } from 'ioredis-5'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const MINUTE = 60_000

const newKey = () => randomBytes(32).toString('hex')

describe.skipIf(!(await redisProgram()))('on a Redis Cluster of six', () => {
  let cluster: TestCluster
  let client: Cluster
  let client5: Cluster5
  beforeAll(async () => {
    cluster = await startCluster()
    client = cluster.connect()
    client5 = new Cluster5(cluster.nodes.map(({ host, port }) => ({ host, port })))
  }, 30_000)
  afterAll(async () => {
    client5?.disconnect()
    await cluster?.stop()
  })

  describe('with ioredis 6', () => {
    storeConformance({ test, shortestTtlMs: 20, supportsGroups: true, createStore: () => redisStore(client) })
  })

  describe('with ioredis 5', () => {
    storeConformance({ test, shortestTtlMs: 20, supportsGroups: true, createStore: () => redisStore(client5) })
  })

  describe('with reads from replicas, automatic pipelines and a key prefix of the client', () => {
    // A replica may be late, which is a miss or an older value to `get`; a lease asks the master.
    test('of 20 that ask at once, one may renew, and the rest get its value', async () => {
      const store = redisStore(cluster.connect({ scaleReads: 'slave', enableAutoPipelining: true, keyPrefix: 'app:' }))
      const key = newKey()
      const ask = () => Promise.all(Array.from({ length: 20 }, () => store.lease(key, MINUTE)))
      const leases = (await ask()).flatMap((answer) => answer?.lease ?? [])
      expect(leases.length).toBe(1)
      expect(await leases[0]?.commit('value', MINUTE)).toBe(true)
      expect(await ask()).toEqual(Array.from({ length: 20 }, () => ({ value: 'value' })))
      await until('the replica has it', async () => (await store.get(key)) === 'value')
    })
  })

  test('keys spread over the masters, and what belongs to one key is in one place', async () => {
    const store = redisStore(client)
    const masters = new Set<number>()
    for (let round = 0; round < 30; round++) {
      const key = newKey()
      const lease = (await store.lease(key, MINUTE))?.lease
      expect(await lease?.commit('value', MINUTE)).toBe(true)
      const places = [`tokenward:{${key}}`, `tokenward:{${key}}:lease`, `tokenward:{${key}}:draft:x`, key]
      const slots = await Promise.all(places.map((place) => client.cluster('KEYSLOT', place)))
      expect(new Set(slots).size).toBe(1)
      masters.add((await cluster.masterOf(key)).pid)
    }
    expect(masters.size).toBe(3)
  })

  // Last: the master does not come back.
  test('when a master dies, its replica takes over what it had', async () => {
    const store = redisStore(client)
    const key = newKey()
    await store.set(key, 'value', 10 * MINUTE)
    const master = await cluster.masterOf(key)
    // The connection that wrote, because a wait is for what its own connection wrote.
    const connection = client.nodes('master').find(({ options }) => options.port === master.port)
    expect(await connection?.wait(1, 5_000)).toBe(1)
    master.signal('SIGKILL')
    await until('the store works again', async () => (await store.get(key)) === 'value')
    expect((await store.lease(key, MINUTE, 'value'))?.lease).toBeDefined()
    expect(client.status).toBe('ready')
  }, 30_000)
})
