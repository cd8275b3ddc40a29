import { hasRedis, startRedis, startRedisProcess, type TestRedis, until } from '@tokenward/local-servers'
import { encryptedStore } from '@tokenward/store-encrypted'
import { storeConformance } from '@tokenward/store-testkit'
import { unstorageStore } from '@tokenward/store-unstorage'
import { expectOneToken, expectOutlivesServer, MINUTE, newKey } from '@tokenward/test-support'
import { createStorage } from 'unstorage'
import redisDriver from 'unstorage/drivers/redis'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'

describe.skipIf(!(await hasRedis()))('by unstorage’s Redis driver', () => {
  let redis: TestRedis
  const opened: { dispose(): Promise<void> }[] = []
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(async () => {
    await Promise.all(opened.map((storage) => storage.dispose()))
    await redis?.stop()
  })

  /** A Storage of its own connection, as another process has it. */
  function open(url = redis.url) {
    const driver = redisDriver({ url, maxRetriesPerRequest: 0, enableOfflineQueue: true })
    // A server that goes away is what some tests are about.
    driver.getInstance?.()?.on('error', () => undefined)
    const storage = createStorage({ driver })
    opened.push(storage)
    return storage
  }
  let shared: ReturnType<typeof open>
  beforeAll(() => {
    shared = open()
  })

  describe('every store’s tests pass', () => {
    storeConformance({ test, supportsLease: false, shortestTtlMs: 20, createStore: () => unstorageStore(shared) })
  })

  describe('and encrypted', () => {
    const keys = [crypto.getRandomValues(new Uint8Array(32))]
    storeConformance({
      test,
      supportsLease: false,
      shortestTtlMs: 20,
      createStore: () => encryptedStore(unstorageStore(shared), { keys }),
    })
  })

  test('Redis itself lets go of what is over', async () => {
    const [short, long] = [newKey(), newKey()]
    const store = unstorageStore(shared)
    await store.set(short, 'value', 20)
    await store.set(long, 'value', MINUTE)
    const client = redis.connect()
    const leftMs = await client.pttl(`tokenward:${long}`)
    expect(leftMs).toSatisfy((ms: number) => ms > MINUTE / 2 && ms <= MINUTE)
    await until('the short one is gone', async () => (await client.exists(`tokenward:${short}`)) === 0)
    expect(await store.get(long)).toBe('value')
  })

  test('two processes share one token', () => expectOneToken(() => unstorageStore(open())))

  test('a Redis that goes away is reported, and calls go on; when it is back, it is used again', async () => {
    const own = await startRedisProcess()
    onTestFinished(() => own.stop())
    await expectOutlivesServer(unstorageStore(open(`redis://127.0.0.1:${own.port}`)), own.stop, async () => {
      const again = await startRedisProcess({ port: own.port })
      onTestFinished(() => again.stop())
    })
  })
})
