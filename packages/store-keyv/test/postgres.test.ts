import { PGlite } from '@electric-sql/pglite'
import { PGLiteSocketServer } from '@electric-sql/pglite-socket'
import KeyvPostgres from '@keyv/postgres'
import { freePort, until } from '@tokenward/local-servers'
import { encryptedStore } from '@tokenward/store-encrypted'
import { keyvStore } from '@tokenward/store-keyv'
import { storeConformance } from '@tokenward/store-testkit'
import { expectOneToken, fleet, MINUTE, newKey } from '@tokenward/test-support'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { versions } from './support'

// PostgreSQL itself, built to run inside this process, behind its own protocol: it needs no setup and no other user.
let database: PGlite
let port: number
let server: PGLiteSocketServer
async function listen() {
  server = new PGLiteSocketServer({ db: database, host: '127.0.0.1', port, maxConnections: 50 })
  await server.start()
}
beforeAll(async () => {
  database = await PGlite.create()
  for (let attempt = 1; ; attempt++) {
    port = await freePort()
    try {
      return await listen()
    } catch (error) {
      if (attempt === 5) throw error
    }
  }
})
afterAll(async () => {
  await server?.stop()
  await database?.close()
})

describe.each(versions)('on PostgreSQL by %s', (_version, createKeyv) => {
  // Idle connections are given up at once: @keyv/postgres does not listen to its pool, and one that breaks while it is
  // idle would end the process.
  const connect = () =>
    keyvStore(
      createKeyv(
        new KeyvPostgres({ uri: `postgresql://postgres@127.0.0.1:${port}/postgres`, idleTimeoutMillis: 1, max: 8 }),
      ),
    )

  describe('every store’s tests pass', () => {
    storeConformance({ test: test.concurrent, supportsLease: false, shortestTtlMs: 20, createStore: connect })
  })

  describe('and encrypted', () => {
    const keys = [crypto.getRandomValues(new Uint8Array(32))]
    storeConformance({
      test: test.concurrent,
      supportsLease: false,
      shortestTtlMs: 20,
      createStore: () => encryptedStore(connect(), { keys }),
    })
  })

  test('two processes share one token', () => expectOneToken(connect))

  test('a PostgreSQL that goes away is reported, and calls go on; when it is back, it is used again', async () => {
    const { provider, failures, start, written } = await fleet()
    const store = connect()
    const before = await start(store).getAccessToken('c')
    await written(1)
    expect(failures).toEqual([])
    await server.stop()
    const during = await start(store).getAccessToken('c')
    await written(2)
    expect(during.value).not.toBe(before.value)
    expect(failures.map(({ operation }) => operation)).toEqual(['get', 'set'])
    await listen()
    await until('the store works', async () => (await store.get(newKey())) === undefined)
    const after = await start(store).getAccessToken('c')
    expect(after.value).toBe(before.value)
    expect(provider.tokenRequests).toHaveLength(2)
  })

  test('a row is there per token, and what is over is removed by who reads it', async () => {
    const [store, key] = [connect(), newKey()]
    const rows = async () => (await database.query('SELECT 1 FROM keyv WHERE key LIKE $1', [`%${key}`])).rows.length
    await store.set(key, 'first', MINUTE)
    await store.set(key, 'second', 20)
    expect(await rows()).toBe(1)
    await until('it is over', async () => (await store.get(key)) === undefined)
    expect(await rows()).toBe(0)
  })
})
