import { type Conformance, MINUTE } from './conformance'
import { expectSame } from './expectations'

/** A store must not return a token after its time to live. */
export function expiryTests({ check, outlast, shortestTtlMs }: Conformance): void {
  check('a value expires after its time to live', async (store, newKey) => {
    const [key, other] = [newKey(), newKey()]
    await store.set(key, 'value', shortestTtlMs)
    await store.set(other, 'value', MINUTE)
    await outlast()
    expectSame('get after the time to live', await store.get(key), undefined)
    expectSame('get of another key, within its time to live', await store.get(other), 'value')
  })

  check('a second set replaces the time to live, with a longer or a shorter one', async (store, newKey) => {
    const [longer, shorter] = [newKey(), newKey()]
    await store.set(longer, 'value', shortestTtlMs)
    await store.set(longer, 'value', MINUTE)
    await store.set(shorter, 'value', MINUTE)
    await store.set(shorter, 'value', shortestTtlMs)
    await outlast()
    expectSame('get of the key whose time to live became longer', await store.get(longer), 'value')
    expectSame('get of the key whose time to live became shorter', await store.get(shorter), undefined)
  })

  check('reading a value does not prolong its time to live', async (store, newKey) => {
    const key = newKey()
    await store.set(key, 'value', shortestTtlMs)
    await store.get(key)
    await outlast()
    expectSame('get after the time to live', await store.get(key), undefined)
  })

  check('a time to live may have a fraction of a millisecond', async (store, newKey) => {
    const [key, other] = [newKey(), newKey()]
    await store.set(key, 'value', MINUTE + 0.123456789)
    await store.set(other, 'value', shortestTtlMs + 0.5)
    expectSame('get within the time to live', await store.get(key), 'value')
    await outlast()
    expectSame('get after the time to live', await store.get(other), undefined)
  })

  check('a time to live of 0 or less keeps nothing and deletes the earlier value', async (store, newKey) => {
    for (const ttlMs of [0, -1]) {
      const key = newKey()
      await store.set(key, 'earlier', MINUTE)
      await store.set(key, 'value', ttlMs)
      expectSame(`get after a set for ${ttlMs} ms`, await store.get(key), undefined)
    }
  })

  // 24 days in milliseconds are more than 32 bits hold, and Memcached reads more than 30 days as a date.
  check('a time to live may be a month or a year', async (store, newKey) => {
    for (const days of [30, 365]) {
      const key = newKey()
      await store.set(key, 'value', days * 24 * 60 * MINUTE)
      expectSame(`get of a value with a time to live of ${days} days`, await store.get(key), 'value')
    }
  })
}
