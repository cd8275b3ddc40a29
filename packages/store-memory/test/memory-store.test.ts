import { memoryStore } from '@tokenward/store-memory'
import { expect, test, vi } from 'vitest'

function stored(options: { maxEntries?: number } = {}) {
  const clock = { now: 0 }
  return { clock, store: memoryStore({ ...options, now: () => clock.now }) }
}

test('a value stays until it expires or is deleted', () => {
  const { store, clock } = stored()
  store.set('a', '1', 1_000)
  store.set('b', '2', 1_000)
  store.delete('b')
  clock.now = 999
  expect([store.get('a'), store.get('b'), store.get('c')]).toEqual(['1', undefined, undefined])
  clock.now = 1_001
  expect(store.get('a')).toBeUndefined()
})

test('a second set replaces the time to live; with 0 or less nothing is kept', () => {
  const { store, clock } = stored()
  store.set('a', '1', 1_000)
  clock.now = 500
  store.set('a', '2', 1_000)
  clock.now = 1_400
  expect(store.get('a')).toBe('2')
  for (const ttlMs of [0, -1]) {
    store.set('a', '3', ttlMs)
    expect(store.get('a')).toBeUndefined()
    store.set('a', '4', 100)
  }
})

test('beyond maxEntries the least recently used entry is removed', () => {
  const { store } = stored({ maxEntries: 2 })
  store.set('a', '1', 1_000)
  store.set('b', '2', 1_000)
  store.get('a')
  store.set('c', '3', 1_000)
  expect([store.get('a'), store.get('b'), store.get('c')]).toEqual(['1', undefined, '3'])
  expect(store.size).toBe(2)
})

test('entries returns what has not expired; clear deletes everything', () => {
  const { store, clock } = stored()
  store.set('a', '1', 100)
  store.set('b', '2', 1_000)
  clock.now = 500
  expect([...store.entries()]).toEqual([['b', '2']])
  store.clear()
  expect([...store.entries()]).toEqual([])
})

test('no timer is set', () => {
  const setTimer = vi.spyOn(globalThis, 'setTimeout')
  const { store } = stored()
  store.set('a', '1', 10)
  store.get('a')
  expect(setTimer).not.toHaveBeenCalled()
  setTimer.mockRestore()
})

test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('maxEntries %d is refused', (maxEntries) => {
  expect(() => memoryStore({ maxEntries })).toThrow(/maxEntries must be a whole number of at least 1/)
})
