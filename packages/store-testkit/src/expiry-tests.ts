import { type Conformance, MINUTE } from './conformance'
import { expectSame } from './expectations'

/** A store must not return a value after its time to live. */
export function expiryTests({ check, outlast, shortestTtlMs }: Conformance): void {
  check('a value expires', async (store, newKey) => {
    const [key, other] = [newKey(), newKey()]
    await store.set(key, 'value', shortestTtlMs)
    await store.set(other, 'value', MINUTE)
    await outlast()
    expectSame('get after it expired', await store.get(key), undefined)
    expectSame('get of another key, before it expires', await store.get(other), 'value')
  })

  check('a value that is set again has the new time to live, longer or shorter', async (store, newKey) => {
    const [longer, shorter] = [newKey(), newKey()]
    await store.set(longer, 'value', shortestTtlMs)
    await store.set(longer, 'value', MINUTE)
    await store.set(shorter, 'value', MINUTE)
    await store.set(shorter, 'value', shortestTtlMs)
    await outlast()
    expectSame('get of the value with the longer time', await store.get(longer), 'value')
    expectSame('get of the value with the shorter time', await store.get(shorter), undefined)
  })

  check('reading a value does not prolong its time to live', async (store, newKey) => {
    const key = newKey()
    await store.set(key, 'value', shortestTtlMs)
    await store.get(key)
    await outlast()
    expectSame('get after it expired', await store.get(key), undefined)
  })

  check('a time to live may be a fraction of a millisecond', async (store, newKey) => {
    const [key, other] = [newKey(), newKey()]
    await store.set(key, 'value', MINUTE + 0.123456789)
    await store.set(other, 'value', shortestTtlMs + 0.5)
    expectSame('get before it expires', await store.get(key), 'value')
    await outlast()
    expectSame('get after it expired', await store.get(other), undefined)
  })

  check('a time to live of 0 or less stores nothing, and deletes the value before', async (store, newKey) => {
    for (const ttlMs of [0, -1]) {
      const key = newKey()
      await store.set(key, 'before', MINUTE)
      await store.set(key, 'value', ttlMs)
      expectSame(`get after a set for ${ttlMs} ms`, await store.get(key), undefined)
    }
  })

  // More than 24 days do not fit into 32 bits of milliseconds. Memcached takes more than 30 days for a date.
  check('a value may live for a month or a year', async (store, newKey) => {
    for (const days of [30, 365]) {
      const key = newKey()
      await store.set(key, 'value', days * 24 * 60 * MINUTE)
      expectSame(`get of a value that lives for ${days} days`, await store.get(key), 'value')
    }
  })
}
