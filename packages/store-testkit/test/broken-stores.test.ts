import type { StoreLease } from '@tokenward/core'
import { type StoreConformanceOptions, storeConformance } from '@tokenward/store-testkit'
import { LeasingStore } from '@tokenward/test-support'
import { describe, expect, test } from 'vitest'

type Store = Awaited<ReturnType<StoreConformanceOptions['createStore']>>

const original = LeasingStore.prototype

type Change = Partial<Store & Pick<LeasingStore, 'isLeased' | 'holds' | 'held'>>

/** Runs the suite with a runner of its own. Returns each test that failed, with its error message. */
async function failures(createStore: () => Store, options: Partial<StoreConformanceOptions> = {}): Promise<string[]> {
  const tests: [name: string, body: () => Promise<void>][] = []
  storeConformance({
    test: (name, body) => tests.push([name, body]),
    createStore,
    shortestTtlMs: 10,
    supportsGroups: true,
    ...options,
  })
  const failed: string[] = []
  await Promise.all(
    tests.map(([name, body]) =>
      body().catch((error: Error) => {
        expect(error.message.length, error.message).toBeLessThan(400)
        failed.push(`${name} → ${error.message}`)
      }),
    ),
  )
  return failed
}

function broken(change: (store: LeasingStore) => Change): () => Store {
  return () => {
    const store = new LeasingStore()
    return Object.assign(store, change(store))
  }
}

test('a correct store passes', async () => {
  expect(await failures(() => new LeasingStore())).toEqual([])
})

describe.each<[what: string, change: (store: LeasingStore) => Change, failing: RegExp]>([
  [
    'returns null instead of undefined',
    (s) => ({ get: (k) => s.values.get(k)?.value ?? (null as never) }),
    /never set/,
  ],
  ['deletes a value when it is read', (s) => ({ get: deletingGet(s) }), /more than once/],
  [
    'keeps the first value',
    (s) => ({ set: (k, v, t) => void (s.values.has(k) || keep(s, k, v, t)) }),
    /second set replaces the value/,
  ],
  ['does not delete', () => ({ delete: () => undefined }), /a deleted key/],
  ['fails to delete an unknown key', (s) => ({ delete: (k) => void (s.values.delete(k) || fail()) }), /no error/],
  ['deletes all keys', (s) => ({ delete: () => s.values.clear() }), /deletes nothing else/],
  ['trims values', (s) => ({ set: (k, v, t) => keep(s, k, v.trim(), t) }), /comes back unchanged.*spaces/],
  [
    'treats an empty value as missing',
    (s) => ({ get: (k) => s.values.get(k)?.value || undefined }),
    /a value of empty/,
  ],
  ['keeps one byte a character', (s) => ({ set: (k, v, t) => keep(s, k, latin1(v), t) }), /a value of unicode/],
  ['drops a byte order mark', (s) => ({ set: (k, v, t) => keep(s, k, utf8(v), t) }), /byte order mark/],
  ['cuts long values', (s) => ({ set: (k, v, t) => keep(s, k, v.slice(0, 65_536), t) }), /100,000 characters/],
  ['holds 100 values', (s) => ({ set: (k, v, t) => void (s.values.size < 100 && keep(s, k, v, t)) }), /200 keys/],
  [
    'cuts keys',
    (s) => ({ set: (k, v, t) => keep(s, k.slice(0, 8), v, t), get: (k) => s.values.get(k.slice(0, 8))?.value }),
    /differ in one/,
  ],
  ['mixes concurrent writes', (s) => ({ set: setInPieces(s) }), /concurrent writes/],
  ['does not expire', (s) => ({ get: (k) => s.values.get(k)?.value }), /a value expires/],
  [
    'keeps the first time to live',
    (s) => ({ set: (k, v, t) => keep(s, k, v, t, s.values.get(k)?.until) }),
    /replaces the time to live/,
  ],
  ['prolongs the time to live by reading', (s) => ({ get: prolongingGet(s) }), /does not prolong/],
  [
    'accepts whole milliseconds only',
    (s) => ({ set: (k, v, t) => keep(s, k, v, Number.isInteger(t) ? t : fail()) }),
    /fraction of a millisecond/,
  ],
  ['treats 0 as no limit', (s) => ({ set: (k, v, t) => keep(s, k, v, t > 0 ? t : 1e9) }), /0 or less/],
  ['counts milliseconds in 32 bits', (s) => ({ set: (k, v, t) => keep(s, k, v, t | 0) }), /of 30 days/],
  ['has no lease', () => ({ lease: undefined as never }), /supportsLease: false/],
  ['gives every caller a lease', (s) => ({ lease: (k) => ({ lease: s.held(k, Symbol()) }) }), /one gets the lease/],
  [
    'gives a lease although there is a value',
    (s) => ({ lease: (k, ms) => original.lease.call(s, k, ms, s.get(k)) }),
    /instead of a lease/,
  ],
  ['ignores staleValue', (s) => ({ lease: (k, ms) => original.lease.call(s, k, ms) }), /the same staleValue, one gets/],
  [
    'recognizes short stale values only',
    (s) => ({ lease: (k, ms, staleValue) => onlyShortStaleValues(s, k, ms, staleValue) }),
    /staleValue is recognized/,
  ],
  ['has one lease for all keys', (s) => ({ isLeased: () => s.holders.size > 0 }), /does not affect another key/],
  ['never ends a lease', (s) => ({ isLeased: (k: string) => s.holders.has(k) }), /holder that died/],
  ['accepts every commit', () => ({ holds: () => true }), /late commit/],
  [
    'accepts the commit of an earlier lease',
    (s) => ({ holds: (k: string) => s.isLeased(k) }),
    /affect the next holder/,
  ],
  [
    'accepts a commit after the lease has ended',
    (s) => ({ holds: (k: string, id: symbol) => s.holders.get(k)?.id === id }),
    /a commit after the lease has ended/,
  ],
  ['does not end a lease by delete', (s) => ({ delete: (k) => void s.values.delete(k) }), /delete ends the lease/],
  ['has no groups', () => ({ deleteGroup: undefined as never }), /group: .*deleteGroup/],
  ['deletes all groups', (s) => ({ deleteGroup: () => s.values.clear() }), /group: .*and nothing else/],
  ['deletes no group', () => ({ deleteGroup: () => undefined }), /every value of the group/],
  [
    'deletes 1,000 keys of a group',
    (s) => ({ deleteGroup: (g) => deleteThousand(s, g) }),
    /group of 1200 keys completely/,
  ],
  [
    'ignores the group of a lease',
    (s) => ({ lease: (k, ms, staleValue) => original.lease.call(s, k, ms, staleValue) }),
    /no value yet/,
  ],
  [
    'ignores the group of a commit',
    (s) => ({ held: (k, id) => withoutGroup(original.held.call(s, k, id)) }),
    /a value that was committed/,
  ],
])('a store that %s', (_what, change, failing) => {
  test('fails the test that is about it', async () => {
    const failed = await failures(broken(change))
    expect(failed.filter((line) => failing.test(line)).length, failed.join('\n')).toBeGreaterThan(0)
  })
})

test('a commit that does not end the lease, or a release that does nothing, fails', async () => {
  const brokenPart = (part: 'commit' | 'release') =>
    broken((store) => ({
      lease: (key, leaseMs, staleValue) => {
        const result = original.lease.call(store, key, leaseMs, staleValue)
        if (!result?.lease) return result
        const { commit, release } = result.lease
        const commitAndKeepLease = (value: string, ttlMs: number) => {
          const holder = store.holders.get(key)
          const done = commit(value, ttlMs)
          if (done && holder) store.holders.set(key, holder)
          return done
        }
        return {
          lease: part === 'commit' ? { commit: commitAndKeepLease, release } : { commit, release: () => undefined },
        }
      },
    }))
  expect((await failures(brokenPart('commit'))).join()).toMatch(/commit replaces the value and ends the lease/)
  expect((await failures(brokenPart('release'))).join()).toMatch(/release ends the lease at once/)
})

test('options leave out tests, and a method that they deny fails', async () => {
  const withoutExpiry = broken((s) => ({
    get: (key) => s.values.get(key)?.value,
    lease: undefined as never,
    deleteGroup: undefined as never,
  }))
  const nothing = { supportsExpiry: false, supportsLease: false, supportsGroups: false }
  expect(await failures(withoutExpiry, nothing)).toEqual([])
  expect((await failures(() => new LeasingStore(), { supportsLease: false })).join()).toMatch(/the store has no lease/)
  expect((await failures(() => new LeasingStore(), { supportsGroups: false })).join()).toMatch(
    /the store has no deleteGroup/,
  )
})

test('options that cannot be right throw at once', () => {
  const createStore = () => new LeasingStore()
  expect(() => storeConformance({ createStore } as never)).toThrow('test must be a function')
  expect(() => storeConformance({ test } as never)).toThrow('createStore must be a function')
  for (const shortestTtlMs of [0, 20_001, Number.NaN]) {
    expect(() => storeConformance({ test, createStore, shortestTtlMs })).toThrow(/shortestTtlMs must be/)
  }
})

function keep(store: LeasingStore, key: string, value: string, ttlMs: number, until = performance.now() + ttlMs): void {
  store.values.set(key, { value, until })
}

function deleteThousand(store: LeasingStore, group: string): void {
  for (const key of [...(store.groups.get(group) ?? [])].slice(0, 1_000)) store.delete(key)
}

function fail(): never {
  throw new Error('a broken store failed on purpose')
}

function deletingGet(store: LeasingStore): Store['get'] {
  return (key) => {
    const value = store.values.get(key)?.value
    store.values.delete(key)
    return value
  }
}

function prolongingGet(store: LeasingStore): Store['get'] {
  return (key) => {
    const entry = store.values.get(key)
    if (entry) entry.until = performance.now() + 60_000
    return entry?.value
  }
}

function setInPieces(store: LeasingStore): Store['set'] {
  return async (key, value, ttlMs) => {
    keep(store, key, '', ttlMs)
    for (let start = 0; start < value.length; start += 1_000) {
      await undefined
      keep(store, key, `${store.get(key)}${value.slice(start, start + 1_000)}`, ttlMs)
    }
  }
}

function onlyShortStaleValues(store: LeasingStore, key: string, leaseMs: number, staleValue: string | undefined) {
  const short = (text: string | undefined) => (text && text.length > 10 ? undefined : text)
  return original.lease.call(store, key, leaseMs, short(staleValue))
}

function withoutGroup(lease: StoreLease): StoreLease {
  return { commit: (value, ttlMs) => lease.commit(value, ttlMs), release: () => lease.release() }
}

function latin1(text: string): string {
  return Array.from(text, (character) => String.fromCharCode(character.charCodeAt(0) & 0xff)).join('')
}

function utf8(text: string): string {
  return new TextDecoder().decode(new TextEncoder().encode(text))
}
