import { type Conformance, MINUTE } from './conformance'
import { expectSame } from './expectations'

/** A token must not be handed out for longer than it was kept for. */
export function expiryTests({ check, outlast, shortestTtlMs }: Conformance): void {
  check('a value is gone when its time is over', async (store, newKey) => {
    const [key, other] = [newKey(), newKey()]
    await store.set(key, 'value', shortestTtlMs)
    await store.set(other, 'value', MINUTE)
    await outlast()
    expectSame('get after its time', await store.get(key), undefined)
    expectSame('get of another key, within its time', await store.get(other), 'value')
  })

  check('a value that is set again has the new time, be it longer or shorter', async (store, newKey) => {
    const [longer, shorter] = [newKey(), newKey()]
    await store.set(longer, 'value', shortestTtlMs)
    await store.set(longer, 'value', MINUTE)
    await store.set(shorter, 'value', MINUTE)
    await store.set(shorter, 'value', shortestTtlMs)
    await outlast()
    expectSame('get of the one with a longer time', await store.get(longer), 'value')
    expectSame('get of the one with a shorter time', await store.get(shorter), undefined)
  })

  check('reading a value does not make it live longer', async (store, newKey) => {
    const key = newKey()
    await store.set(key, 'value', shortestTtlMs)
    await store.get(key)
    await outlast()
    expectSame('get after its time', await store.get(key), undefined)
  })

  check('a time that is no whole number is kept too', async (store, newKey) => {
    const [key, other] = [newKey(), newKey()]
    await store.set(key, 'value', MINUTE + 0.123456789)
    await store.set(other, 'value', shortestTtlMs + 0.5)
    expectSame('get within its time', await store.get(key), 'value')
    await outlast()
    expectSame('get after its time', await store.get(other), undefined)
  })

  check('a time of 0 or less keeps nothing, not even what was there', async (store, newKey) => {
    for (const ttlMs of [0, -1]) {
      const key = newKey()
      await store.set(key, 'before', MINUTE)
      await store.set(key, 'value', ttlMs)
      expectSame(`get after a set for ${ttlMs} ms`, await store.get(key), undefined)
    }
  })

  // Past 24 days, milliseconds leave 32 bits; past 30, memcached takes a time to live for a date.
  check('a value that lives for a month or a year is kept', async (store, newKey) => {
    for (const days of [30, 365]) {
      const key = newKey()
      await store.set(key, 'value', days * 24 * 60 * MINUTE)
      expectSame(`get of a value that lives for ${days} days`, await store.get(key), 'value')
    }
  })
}
