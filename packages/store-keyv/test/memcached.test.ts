import KeyvMemcache from '@keyv/memcache'
import { ask, memcachedProgram, type ServerProcess, startMemcachedProcess, until } from '@tokenward/local-servers'
import { encryptedStore } from '@tokenward/store-encrypted'
import { keyvStore } from '@tokenward/store-keyv'
import { storeConformance } from '@tokenward/store-testkit'
import { expectOneToken, expectOutlivesServer, MINUTE, newKey } from '@tokenward/test-support'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { versions } from './support'

const DAY = 24 * 60 * MINUTE

// @keyv/memcache answers that there is nothing by an entry that is over, and Keyv removes that: what another one keeps
// in this moment goes with it. So a read beside a write may cost the value, never give a wrong one.
// A test of its own, below, stands in the place of the one that asks for more.
function inMemcached(name: string, body: () => Promise<void>) {
  if (!name.startsWith('of concurrent writes one wins')) test.concurrent(name, body)
}

describe.skipIf(!(await memcachedProgram()))('on Memcached', () => {
  let server: ServerProcess
  beforeAll(async () => {
    server = await startMemcachedProcess()
  })
  afterAll(() => server?.stop())

  describe.each(versions)('by %s', (_version, createKeyv) => {
    /** A store of its own connection, as another process has it. */
    function connect({ host, port }: ServerProcess = server) {
      return keyvStore(createKeyv(new KeyvMemcache(`${host}:${port}`, { retries: 0, logger: { log() {} } })))
    }

    describe('every store’s tests pass', () => {
      storeConformance({
        test: inMemcached,
        supportsLease: false,
        shortestTtlMs: 1_000,
        createStore: () => connect(),
      })
    })

    describe('and encrypted', () => {
      const keys = [crypto.getRandomValues(new Uint8Array(32))]
      storeConformance({
        test: inMemcached,
        supportsLease: false,
        // Keyv looks at the milliseconds itself.
        shortestTtlMs: 20,
        createStore: () => encryptedStore(connect(), { keys }),
      })
    })

    test.concurrent('Memcached itself lets go of what is over, and of nothing before', async () => {
      const store = connect()
      const [short, long, endless] = [newKey(), newKey(), newKey()]
      // Keyv 6 takes off what has passed of it, and Memcached counts whole seconds, of which 0 is for good.
      await store.set(short, 'value', 2_500)
      await store.set(long, 'value', 400 * DAY)
      await store.set(endless, 'value', Number.POSITIVE_INFINITY)
      const keys = await ask(server.port, 'lru_crawler metadump all', 'END\r\n')
      const [, prefix] = new RegExp(`key=(\\S*)${long}`).exec(decodeURIComponent(keys)) ?? []
      expect(prefix).toBeDefined()
      await until('it is gone', async () => (await ask(server.port, `get ${prefix}${short}`, 'END\r\n')) === 'END\r\n')
      expect(await store.get(long)).toBe('value')
      expect(await store.get(endless)).toBe('value')
    })

    test.concurrent('of concurrent writers and readers none has a value that nobody wrote', async () => {
      const [store, key] = [connect(), newKey()]
      const values = Array.from({ length: 50 }, (_, index) => `${index} `.repeat(index * 50 + 1))
      const reads = Array.from({ length: 20 }, () => store.get(key))
      const [read] = await Promise.all([Promise.all(reads), ...values.map((value) => store.set(key, value, MINUTE))])
      for (const value of [...read, await store.get(key)]) expect([undefined, ...values]).toContain(value)
      await store.set(key, 'last', MINUTE)
      expect(await store.get(key)).toBe('last')
    })

    test.concurrent('a token that Memcached finds too large is a failure', async () => {
      await expect(connect().set(newKey(), 'x'.repeat(2 ** 21), MINUTE)).rejects.toThrow(/^set failed/)
    })

    test('two processes share one token', () => expectOneToken(connect))

    test('a Memcached that goes away is reported, and calls go on; when it is back, it is used again', async () => {
      const own = await startMemcachedProcess()
      onTestFinished(() => own.stop())
      await expectOutlivesServer(connect(own), own.stop, async () => {
        const again = await startMemcachedProcess({ port: own.port })
        onTestFinished(() => again.stop())
      })
    })
  })
})
