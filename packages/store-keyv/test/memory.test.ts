import { encryptedStore } from '@tokenward/store-encrypted'
import { keyvStore } from '@tokenward/store-keyv'
import { storeConformance } from '@tokenward/store-testkit'
import { MINUTE, newKey } from '@tokenward/test-support'
import { describe, expect, test } from 'vitest'
import { versions } from './support'

const DAY = 24 * 60 * MINUTE

describe.each(versions)('%s in memory', (_version, createKeyv) => {
  describe('every store’s tests pass', () => {
    storeConformance({
      test: test.concurrent,
      supportsLease: false,
      shortestTtlMs: 20,
      createStore: () => keyvStore(createKeyv()),
    })
  })

  describe('and encrypted', () => {
    const keys = [crypto.getRandomValues(new Uint8Array(32))]
    storeConformance({
      test: test.concurrent,
      supportsLease: false,
      shortestTtlMs: 20,
      createStore: () => encryptedStore(keyvStore(createKeyv()), { keys }),
    })
  })

  test('two Keyvs over one backend share what is kept, unless their namespaces differ', async () => {
    const [backend, key] = [new Map(), newKey()]
    await keyvStore(createKeyv(backend, 'a')).set(key, 'value', MINUTE)
    expect(await keyvStore(createKeyv(backend, 'a')).get(key)).toBe('value')
    expect(await keyvStore(createKeyv(backend, 'b')).get(key)).toBeUndefined()
  })

  test('Keyv gets whole milliseconds, 30 days of them at most, and nothing that has no time left', async () => {
    const given: [operation: string, ttl?: number][] = []
    const keyv = createKeyv()
    const store = keyvStore({
      getRaw: (key) => keyv.getRaw(key),
      set(key, value, ttl) {
        given.push(['set', ttl])
        return keyv.set(key, value, ttl)
      },
      delete(key) {
        given.push(['delete'])
        return keyv.delete(key)
      },
      on: (event, listener) => keyv.on(event, listener),
    })
    for (const ttlMs of [MINUTE + 0.9, 30 * DAY, 30 * DAY + 1, 365 * DAY, Number.POSITIVE_INFINITY]) {
      await store.set(newKey(), 'value', ttlMs)
    }
    for (const ttlMs of [0.9, 0, -1, Number.NEGATIVE_INFINITY, Number.NaN]) await store.set(newKey(), 'value', ttlMs)
    expect(given).toEqual([
      ['set', MINUTE],
      ...Array.from({ length: 4 }, () => ['set', 30 * DAY]),
      ...Array.from({ length: 5 }, () => ['delete']),
    ])
  })

  test.each([42, null, { value: 'x' }, ['x'], true])('%j, which somebody else has kept, is no value', async (other) => {
    const [keyv, key] = [createKeyv(), newKey()]
    await keyv.set(key, other as unknown as string, MINUTE)
    await expect(Promise.resolve(keyvStore(keyv).get(key))).rejects.toMatchObject({ code: 'invalid_entry' })
  })
})
