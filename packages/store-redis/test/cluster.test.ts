import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { redisProgram, startCluster, type TestCluster, until } from '@tokenward/local-servers'
import { redisStore } from '@tokenward/store-redis'
import { storeConformance } from '@tokenward/store-testkit'
import { type Cluster, Redis } from 'ioredis'
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
    await cluster.noticesDeathAfter(MINUTE)
    client = cluster.connect()
    client5 = new Cluster5(cluster.nodes.map(({ host, port }) => ({ host, port })))
  })
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
    // A replica may be late: then `get` returns nothing or an older value. A lease is always taken on the master.
    test('of 20 calls at once one gets the lease, and the others get its value', async () => {
      const store = redisStore(cluster.connect({ scaleReads: 'slave', enableAutoPipelining: true, keyPrefix: 'app:' }))
      const key = newKey()
      const ask = () => Promise.all(Array.from({ length: 20 }, () => store.lease(key, MINUTE)))
      const leases = (await ask()).flatMap((result) => result?.lease ?? [])
      expect(leases.length).toBe(1)
      expect(await leases[0]?.commit('value', MINUTE)).toBe(true)
      expect(await ask()).toEqual(Array.from({ length: 20 }, () => ({ value: 'value' })))
      await until('the replica has it', async () => (await store.get(key)) === 'value')
    })
  })

  test('keys are spread over the masters, and everything of one key is on one master', async () => {
    const store = redisStore(client)
    const masters = new Set<number>()
    for (let round = 0; round < 30; round++) {
      const key = newKey()
      const lease = (await store.lease(key, MINUTE))?.lease
      expect(await lease?.commit('value', MINUTE)).toBe(true)
      const places = [`tokenward:{${key}}`, `tokenward:{${key}}:lease`, `tokenward:{${key}}:staging:x`, key]
      const slots = await Promise.all(places.map((place) => client.cluster('KEYSLOT', place)))
      expect(new Set(slots).size).toBe(1)
      masters.add((await cluster.masterOf(key)).pid)
    }
    expect(masters.size).toBe(3)
  })

  test('an ACL user with the rule of the README and its additions for a Cluster uses the store', async () => {
    const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
    const [, rule = ''] = /^ACL SETUSER worker on >password (.+)$/m.exec(readme) ?? []
    const [, additions = ''] = /^- A `Cluster` needs `(.*?)` too/m.exec(readme) ?? []
    const [username, password] = [newKey(), newKey()]
    const rules = ['on', `>${password}`, ...rule.split(' '), ...additions.split(' '), '+readonly']
    await Promise.all(
      cluster.nodes.map(async ({ port }) => {
        const admin = new Redis(port)
        await admin.call('ACL', 'SETUSER', username, ...rules)
        admin.disconnect()
      }),
    )
    const redisOptions = { username, password }
    const store = redisStore(cluster.connect({ redisOptions, scaleReads: 'all' }))
    const [key, group] = [newKey(), newKey()]
    const lease = (await store.lease(key, MINUTE, undefined, group))?.lease
    expect(await lease?.commit('value', MINUTE, group)).toBe(true)
    await until('every node has it', async () => (await store.get(key)) === 'value')
    await store.deleteGroup(group)
    expect((await store.lease(key, MINUTE))?.lease).toBeDefined()
  })

  // Last: the master does not come back.
  test('when a master dies, its replica has its values', async () => {
    const store = redisStore(client)
    const key = newKey()
    await store.set(key, 'value', 10 * MINUTE)
    const master = await cluster.masterOf(key)
    // WAIT is only for the writes of the same connection, so use the one that wrote.
    const connection = client.nodes('master').find(({ options }) => options.port === master.port)
    expect(await connection?.wait(1, 5_000)).toBe(1)
    await cluster.noticesDeathAfter(1_000)
    master.signal('SIGKILL')
    await until('the store works again', async () => (await store.get(key)) === 'value')
    expect((await store.lease(key, MINUTE, 'value'))?.lease).toBeDefined()
    expect(client.status).toBe('ready')
  })
})
