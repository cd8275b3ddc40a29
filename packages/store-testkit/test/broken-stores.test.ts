import { type StoreConformanceOptions, storeConformance } from '@tokenward/store-testkit'
import { LeasingStore } from '@tokenward/test-support'
import { describe, expect, test } from 'vitest'

type Store = Awaited<ReturnType<StoreConformanceOptions['createStore']>>

const original = LeasingStore.prototype

type Change = Partial<Store & Pick<LeasingStore, 'isLeased' | 'holds'>>

/** Runs the suite by a runner of its own; what failed, by the names of the tests. */
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

function without(change: (store: LeasingStore) => Change): () => Store {
  return () => {
    const store = new LeasingStore()
    return Object.assign(store, change(store))
  }
}

test('a store that does what it should passes', async () => {
  expect(await failures(() => new LeasingStore())).toEqual([])
})

describe.each<[what: string, change: (store: LeasingStore) => Change, found: RegExp]>([
  [
    'finds null instead of undefined',
    (s) => ({ get: (k) => s.values.get(k)?.value ?? (null as never) }),
    /unknown key/,
  ],
  ['forgets what was read', (s) => ({ get: taken(s) }), /again and again/],
  ['keeps the first value', (s) => ({ set: (k, v, t) => void (s.values.has(k) || keep(s, k, v, t)) }), /set last/],
  ['does not delete', () => ({ delete: () => undefined }), /deleted/],
  ['fails to delete what is not there', (s) => ({ delete: (k) => void (s.values.delete(k) || fail()) }), /no error/],
  ['deletes everything', (s) => ({ delete: () => s.values.clear() }), /deletes nothing else/],
  ['trims', (s) => ({ set: (k, v, t) => keep(s, k, v.trim(), t) }), /whatever is in it.*spaces/],
  ['takes an empty value for none', (s) => ({ get: (k) => s.values.get(k)?.value || undefined }), /a value of empty/],
  ['keeps one byte a character', (s) => ({ set: (k, v, t) => keep(s, k, latin1(v), t) }), /a value of unicode/],
  ['drops a byte order mark', (s) => ({ set: (k, v, t) => keep(s, k, utf8(v), t) }), /byte order mark/],
  ['cuts long values', (s) => ({ set: (k, v, t) => keep(s, k, v.slice(0, 65_536), t) }), /comes back whole/],
  ['holds 100 values', (s) => ({ set: (k, v, t) => void (s.values.size < 100 && keep(s, k, v, t)) }), /200 keys/],
  [
    'cuts keys',
    (s) => ({ set: (k, v, t) => keep(s, k.slice(0, 8), v, t), get: (k) => s.values.get(k.slice(0, 8))?.value }),
    /differ in one/,
  ],
  ['mixes concurrent writers', (s) => ({ set: inPieces(s) }), /concurrent writers/],
  ['does not expire', (s) => ({ get: (k) => s.values.get(k)?.value }), /gone when its time is over/],
  ['keeps the first time', (s) => ({ set: (k, v, t) => keep(s, k, v, t, s.values.get(k)?.until) }), /has the new time/],
  ['prolongs by reading', (s) => ({ get: prolonged(s) }), /does not make it live longer/],
  [
    'takes whole numbers only',
    (s) => ({ set: (k, v, t) => keep(s, k, v, Number.isInteger(t) ? t : fail()) }),
    /whole number/,
  ],
  ['takes 0 for no limit', (s) => ({ set: (k, v, t) => keep(s, k, v, t > 0 ? t : 1e9) }), /0 or less/],
  ['counts in 32 bits', (s) => ({ set: (k, v, t) => keep(s, k, v, t | 0) }), /for 30 days/],
  ['has no lease', () => ({ lease: undefined as never }), /supportsLease: false/],
  ['gives everybody a lease', (s) => ({ lease: (k) => ({ lease: s.held(k, Symbol()) }) }), /one may renew/],
  [
    'gives a lease where there is a value',
    (s) => ({ lease: (k, ms) => original.lease.call(s, k, ms, s.get(k)) }),
    /there is no lease/,
  ],
  ['ignores the stale value', (s) => ({ lease: (k, ms) => original.lease.call(s, k, ms) }), /have seen the value/],
  [
    'takes everything for newer',
    (s) => ({ lease: (k, ms, staleValue) => onlyShortStaleValues(s, k, ms, staleValue) }),
    /whatever is in it/,
  ],
  ['has one lease for all keys', (s) => ({ isLeased: () => s.holders.size > 0 }), /another/],
  ['never ends a lease', (s) => ({ isLeased: (k: string) => s.holders.has(k) }), /holder that dies/],
  ['takes every commit', () => ({ holds: () => true }), /late commit/],
  ['takes the commit of any lease', (s) => ({ holds: (k: string) => s.isLeased(k) }), /disturb/],
  [
    'takes a commit after the end',
    (s) => ({ holds: (k: string, id: symbol) => s.holders.get(k)?.id === id }),
    /after the lease is over/,
  ],
  ['does not end a lease by deleting', (s) => ({ delete: (k) => void s.values.delete(k) }), /deletion ends the lease/],
  ['has no groups', () => ({ deleteGroup: undefined as never }), /group: .*deleteGroup/],
  ['deletes all groups', (s) => ({ deleteGroup: () => s.values.clear() }), /nothing else/],
  ['deletes no group', () => ({ deleteGroup: () => undefined }), /goes with it/],
  ['deletes 1,000 of a group', (s) => ({ deleteGroup: (g) => thousandOf(s, g) }), /goes as a whole/],
])('a store that %s', (_what, change, found) => {
  test('fails, and it is said where', async () => {
    const failed = await failures(without(change))
    expect(failed.filter((line) => found.test(line)).length, failed.join('\n')).toBeGreaterThan(0)
  })
})

test('a commit that fails to end the lease, or a release that does nothing, is found', async () => {
  const holding = (part: 'commit' | 'release') =>
    without((store) => ({
      lease: (key, leaseMs, staleValue) => {
        const answer = original.lease.call(store, key, leaseMs, staleValue)
        if (!answer?.lease) return answer
        const { commit, release } = answer.lease
        const keeping = (value: string, ttlMs: number) => {
          const holder = store.holders.get(key)
          const done = commit(value, ttlMs)
          if (done && holder) store.holders.set(key, holder)
          return done
        }
        return { lease: part === 'commit' ? { commit: keeping, release } : { commit, release: () => undefined } }
      },
    }))
  expect((await failures(holding('commit'))).join()).toMatch(/commit keeps the value, .* and ends the lease/)
  expect((await failures(holding('release'))).join()).toMatch(/release lets another one try/)
})

test('what a store is said not to do is not asked of it, and a lease is not hidden', async () => {
  const withoutExpiry = without((s) => ({
    get: (key) => s.values.get(key)?.value,
    lease: undefined as never,
    deleteGroup: undefined as never,
  }))
  const nothing = { supportsExpiry: false, supportsLease: false, supportsGroups: false }
  expect(await failures(withoutExpiry, nothing)).toEqual([])
  expect((await failures(() => new LeasingStore(), { supportsLease: false })).join()).toMatch(/so it has no lease/)
  expect((await failures(() => new LeasingStore(), { supportsGroups: false })).join()).toMatch(/it has no deleteGroup/)
})

test('without a test function or a store there is nothing to do', () => {
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

function thousandOf(store: LeasingStore, group: string): void {
  for (const key of [...(store.groups.get(group) ?? [])].slice(0, 1_000)) store.delete(key)
}

function fail(): never {
  throw new Error('no')
}

function taken(store: LeasingStore): Store['get'] {
  return (key) => {
    const value = store.values.get(key)?.value
    store.values.delete(key)
    return value
  }
}

function prolonged(store: LeasingStore): Store['get'] {
  return (key) => {
    const entry = store.values.get(key)
    if (entry) entry.until = performance.now() + 60_000
    return entry?.value
  }
}

function inPieces(store: LeasingStore): Store['set'] {
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

function latin1(text: string): string {
  return Array.from(text, (character) => String.fromCharCode(character.charCodeAt(0) & 0xff)).join('')
}

function utf8(text: string): string {
  return new TextDecoder().decode(new TextEncoder().encode(text))
}
