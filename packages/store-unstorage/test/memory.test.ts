import { createHash } from 'node:crypto'
import { inspect } from 'node:util'
import { encryptedStore } from '@tokenward/store-encrypted'
import { storeConformance } from '@tokenward/store-testkit'
import { type UnstorageClient, UnstorageStoreError, unstorageStore } from '@tokenward/store-unstorage'
import { fleet, MINUTE, newKey } from '@tokenward/test-support'
import { createStorage, prefixStorage } from 'unstorage'
import { describe, expect, test } from 'vitest'

const TOKEN = 'a-token-in-clear-text'
const START = Date.parse('2030-01-01T00:00:00Z')

/** A store with the test's clock, over a driver that has no time to live. */
function timed(storage = createStorage()) {
  let time = START
  const store = unstorageStore(storage, { now: () => time })
  const pass = (ms: number) => {
    time += ms
  }
  return { storage, store, pass }
}

async function errorOf(call: unknown): Promise<unknown> {
  return Promise.resolve(call).then(
    () => undefined,
    (error: unknown) => error,
  )
}

describe('every store’s tests pass', () => {
  storeConformance({
    test: test.concurrent,
    supportsLease: false,
    shortestTtlMs: 20,
    createStore: () => unstorageStore(createStorage()),
  })
})

describe('and encrypted', () => {
  const keys = [crypto.getRandomValues(new Uint8Array(32))]
  storeConformance({
    test: test.concurrent,
    supportsLease: false,
    shortestTtlMs: 20,
    createStore: () => encryptedStore(unstorageStore(createStorage()), { keys }),
  })
})

test('an entry has its value and its expiry time, under the prefix', async () => {
  for (const [keyPrefix, options] of [
    ['tokenward:', {}],
    ['fleet:a:', { keyPrefix: 'fleet/a/' }],
    ['', { keyPrefix: '' }],
  ] as const) {
    const storage = createStorage()
    await unstorageStore(storage, { ...options, now: () => START }).set('abc', '{"a":1}', MINUTE + 0.9)
    expect(await storage.getKeys()).toEqual([`${keyPrefix}abc`])
    expect(await storage.getItem(`${keyPrefix}abc`)).toEqual({
      value: '{"a":1}',
      expiresAt: START + MINUTE,
      sha256: createHash('sha256')
        .update(`${START + MINUTE} {"a":1}`)
        .digest('hex'),
    })
  }
})

test('an expired entry is not returned, and reading it removes it', async () => {
  const { storage, store, pass } = timed()
  await store.set('abc', 'value', MINUTE)
  pass(MINUTE - 1)
  expect(await store.get('abc')).toBe('value')
  pass(1)
  expect(await store.get('abc')).toBeUndefined()
  expect(await storage.getKeys()).toEqual([])
})

test('a driver gets whole seconds, rounded up, and one year at most', async () => {
  const given: unknown[] = []
  const storage = createStorage()
  const store = unstorageStore({
    getItem: (key) => storage.getItem(key),
    async setItem(_key, _value, options) {
      given.push(options)
    },
    removeItem: async () => void given.push('removed'),
  })
  for (const ttlMs of [1, 1_000, 1_000.9, 1_001, 366 * 24 * 60 * MINUTE, Number.POSITIVE_INFINITY]) {
    await store.set(newKey(), 'value', ttlMs)
  }
  expect(given.splice(0)).toEqual([1, 1, 1, 2, 31_536_000, 31_536_000].map((ttl) => ({ ttl })))
  for (const ttlMs of [0.9, 0, -1, Number.NEGATIVE_INFINITY, Number.NaN]) await store.set(newKey(), 'value', ttlMs)
  expect(given).toEqual(Array.from({ length: 5 }, () => 'removed'))
})

test('an entry made of parts of several entries is invalid', async () => {
  const { storage, store } = timed()
  await store.set('one', 'the first value', MINUTE)
  await store.set('two', 'the other value', 2 * MINUTE)
  const [one, two] = [await storage.getItem<object>('tokenward:one'), await storage.getItem<object>('tokenward:two')]
  const { value, expiresAt } = two as { value: string; expiresAt: number }
  for (const part of [{ value }, { expiresAt }, { value, expiresAt }, { value: 'the first other' }]) {
    await storage.setItem('tokenward:one', { ...one, ...part })
    expect(await errorOf(store.get('one'))).toMatchObject({ code: 'invalid_entry' })
  }
  await storage.setItem('tokenward:one', two)
  expect(await store.get('one')).toBe('the other value')
})

test('a prefixed Storage works too', async () => {
  const storage = createStorage()
  await unstorageStore(prefixStorage(storage, 'app')).set('abc', 'value', MINUTE)
  expect(await storage.getKeys()).toEqual(['app:tokenward:abc'])
})

const others = [
  'a text',
  42,
  true,
  [],
  {},
  { value: 'x' },
  { expiresAt: START },
  { value: 1, expiresAt: START },
  { value: 'x', expiresAt: '2030' },
  { value: 'x', expiresAt: START * 2 },
  '{"value":"x","expi',
]

test.each(others)('%j under a key of the store is a failure with the code invalid_entry', async (entry) => {
  const { storage, store } = timed()
  await storage.setItem('tokenward:abc', entry)
  expect(await errorOf(store.get('abc'))).toMatchObject({
    message: 'get failed: invalid_entry',
    code: 'invalid_entry',
  })
})

test('the token manager reports such an entry, gets a token, and replaces the entry', async () => {
  const { provider, failures, start, written } = await fleet()
  const storage = createStorage()
  const store = unstorageStore(storage)
  await start(store).getAccessToken('c')
  await written(1)
  const [key = ''] = await storage.getKeys()
  for (const [index, entry] of others.entries()) {
    await storage.setItem(key, entry)
    await start(store).getAccessToken('c')
    await written(index + 2)
    expect(failures.splice(0)).toEqual([{ operation: 'get', reason: 'invalid_entry' }])
    expect(provider.tokenRequests).toHaveLength(index + 2)
    expect(await storage.getItem(key)).toMatchObject({ value: expect.any(String) })
  }
})

test.each<[what: string, thrown: () => unknown, code: string]>([
  ['an error with a code', () => Object.assign(new Error(TOKEN), { code: 'EACCES', args: [TOKEN] }), 'EACCES'],
  ['an error class of the driver', () => Object.assign(new Error(TOKEN), { name: 'FetchError' }), 'FetchError'],
  ['a code that is not a code', () => Object.assign(new TypeError(TOKEN), { code: `${TOKEN} is wrong` }), 'TypeError'],
  ['a name that is not a name', () => Object.assign(new Error(TOKEN), { name: TOKEN }), 'failed'],
  ['a code that is a number', () => Object.assign(new Error(TOKEN), { code: 7 }), 'failed'],
  ['a huge code', () => Object.assign(new Error(TOKEN), { code: TOKEN.repeat(100_000) }), 'failed'],
  ['a getter that throws', () => withThrowingGetter('code'), 'failed'],
  ['a revoked proxy', () => revoked(), 'failed'],
  ['a string', () => TOKEN, 'failed'],
  ['undefined', () => undefined, 'failed'],
  ['an array', () => [TOKEN], 'failed'],
])(
  'an error of every operation has a code and leaks nothing when the driver throws %s',
  async (_what, thrown, code) => {
    // Before it returns a promise: the store must not depend on that.
    const fail = () => {
      throw thrown()
    }
    const store = unstorageStore({ getItem: fail, setItem: fail, removeItem: fail })
    for (const [operation, call] of [
      ['get', () => store.get('abc')],
      ['set', () => store.set('abc', TOKEN, MINUTE)],
      ['set', () => store.set('abc', TOKEN, 0)],
      ['delete', () => store.delete('abc')],
    ] as const) {
      const error = await errorOf(call())
      expect(error).toBeInstanceOf(UnstorageStoreError)
      expect(error).toMatchObject({ message: `${operation} failed: ${code}`, code })
      expect(inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true })).not.toContain(TOKEN)
    }
  },
)

test.each<[what: string, item: unknown]>([
  ['an error that it returns', Object.assign(new Error(TOKEN), { path: TOKEN })],
  ['a getter that throws', withThrowingGetter('value')],
  ['a revoked proxy', revoked()],
  ['a function', () => TOKEN],
])('an item that is %s is a failure that leaks nothing', async (_what, item) => {
  const nothing = async () => undefined
  const store = unstorageStore({ getItem: async () => item, setItem: nothing, removeItem: nothing })
  const error = await errorOf(store.get('abc'))
  expect(error).toMatchObject({ name: 'UnstorageStoreError', code: expect.stringMatching(/^\w+$/) })
  expect(inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true })).not.toContain(TOKEN)
})

test('a value that is not a Storage, and a prefix that unstorage would misread, are refused at once', () => {
  for (const storage of [undefined, null, {}, new Map(), { getItem() {}, setItem() {} }, 'fs']) {
    expect(() => unstorageStore(storage as unknown as UnstorageClient)).toThrow(/storage must be a Storage/)
  }
  const storage = createStorage()
  for (const keyPrefix of ['a?b:', '?', '../', '..:', './', 'a/../', 'a:.:', 1 as unknown as string]) {
    expect(() => unstorageStore(storage, { keyPrefix })).toThrow(/keyPrefix must be/)
  }
  for (const keyPrefix of ['', 'a.b:', '.a:', 'a..b/', 'v1.', undefined]) {
    expect(() => unstorageStore(storage, { keyPrefix })).not.toThrow()
  }
  expect(() => unstorageStore(storage, { now: 5 as unknown as () => number })).toThrow(/now must be a function/)
  expect(() => unstorageStore(storage, { now: undefined })).not.toThrow()
})

function withThrowingGetter(property: string): Error {
  return Object.defineProperty(new Error(TOKEN), property, {
    get() {
      throw new Error(TOKEN)
    },
  })
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable(new Error(TOKEN), {})
  revoke()
  return proxy
}
