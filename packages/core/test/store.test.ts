import { createTokenManager, type StoreFailed, type TokenStore } from '@tokenward/core'
import { memoryStore } from '@tokenward/store-memory'
import { expect, test } from 'vitest'
import { definition, ScriptedEndpoint, scripted, settle, TestClock } from './support'

/** A fleet inside one process: each `start()` creates a manager over the same store. */
function fleet(store: TokenStore) {
  const clock = new TestClock()
  const endpoint = new ScriptedEndpoint(clock)
  const start = () =>
    createTokenManager({ clients: { c: definition }, requester: endpoint, clock, random: () => 0.5, store })
  return { clock, endpoint, start }
}

test('a second process gets the token from the store', async () => {
  const { endpoint, start } = fleet(memoryStore())
  const first = await start().getAccessToken('c')
  const second = start()
  const sources: string[] = []
  second.on('tokenRetrieved', ({ source }) => sources.push(source))
  const shared = await second.getAccessToken('c')
  expect(shared).toEqual(first)
  expect(shared.value).toBe(first.value)
  expect(sources).toEqual(['store'])
  expect(endpoint.requests).toHaveLength(1)
})

test('a token that is about to expire is not used from the store', async () => {
  const { clock, start } = fleet(memoryStore())
  await start().getAccessToken('c')
  await clock.advance(89_000)
  expect((await start().getAccessToken('c')).value).toBe('token-1')
  await clock.advance(2_000)
  expect((await start().getAccessToken('c')).value).toBe('token-2')
})

test('a rejected token is not used from the store again, but a newer one of another process is', async () => {
  const { endpoint, start } = fleet(memoryStore())
  const [one, two] = [start(), start()]
  const old = await one.getAccessToken('c')
  await two.getAccessToken('c')
  await one.rejectAccessToken('c', old)
  expect((await one.getAccessToken('c')).value).toBe('token-2')
  await settle()
  await two.rejectAccessToken('c', old)
  expect((await two.getAccessToken('c')).value).toBe('token-2')
  expect(endpoint.requests).toHaveLength(2)
})

test('deleteAccessToken and clear delete from the store', async () => {
  const { endpoint, start } = fleet(memoryStore())
  const one = start()
  await one.getAccessToken('c')
  await one.deleteAccessToken('c')
  expect((await start().getAccessToken('c')).value).toBe('token-2')
  // This process has never used the token, and clears it nevertheless.
  await start().clear('c')
  expect((await start().getAccessToken('c')).value).toBe('token-3')
  expect(endpoint.requests).toHaveLength(3)
})

test.each<[string, Partial<TokenStore>, string]>([
  [
    'throws',
    {
      get: () => {
        throw new Error('down')
      },
      set: () => {
        throw new Error('down')
      },
    },
    'Error',
  ],
  [
    'rejects',
    { get: async () => Promise.reject(Object.assign(new Error('down'), { code: 'ECONNREFUSED' })) },
    'ECONNREFUSED',
  ],
  ['hangs', { get: () => new Promise(() => {}), set: () => new Promise(() => {}) }, 'timeout'],
])('a store that %s counts as a miss and is reported, and calls succeed', async (_what, broken, reason) => {
  const store = { get: async () => undefined, set() {}, delete() {}, ...broken }
  const { tokens, endpoint, clock } = scripted({ store })
  const failures: StoreFailed[] = []
  tokens.on('storeFailed', (failure) => failures.push(failure))
  const token = tokens.getAccessToken('catalog.client')
  await clock.advance(250)
  expect((await token).value).toBe('token-1')
  expect((await tokens.getAccessToken('catalog.client')).value).toBe('token-1')
  await clock.advance(250)
  expect(failures[0]).toEqual({ operation: 'get', reason })
  expect(endpoint.requests).toHaveLength(1)
  expect(clock.pendingTimers).toBe(0)
})

test('no caller waits until the store has written a token', async () => {
  const { tokens, endpoint } = scripted({
    store: { get: () => undefined, set: () => new Promise(() => {}), delete() {} },
  })
  expect((await tokens.getAccessToken('catalog.client')).value).toBe('token-1')
  expect(endpoint.requests).toHaveLength(1)
})

test.each<[string, (entry: string) => unknown]>([
  ['a value that is no JSON', () => '\u0000\uffff{'],
  ['a number', () => 42],
  ['an empty string', () => ''],
  ['half an entry', (entry) => entry.slice(0, 40)],
  ['an entry of another key', (entry) => entry.replace(/"key":"[0-9a-f]{4}/, '"key":"ffff')],
  ['an older format', (entry) => entry.replace('"v":1', '"v":0')],
  ['a token that is not valid in a header', (entry) => entry.replace('token-1', 'token\\n1')],
  ['an impossible time', (entry) => entry.replace(/"expiresAt":\d+/, '"expiresAt":1e999')],
])('%s in the store counts as a miss, is reported, and is replaced', async (_what, spoil) => {
  const entries = new Map<string, unknown>()
  const store = {
    get: (key: string) => entries.get(key) as string | undefined,
    set: (key: string, value: string) => void entries.set(key, value),
    delete: (key: string) => void entries.delete(key),
  }
  const { endpoint, start } = fleet(store)
  await start().getAccessToken('c')
  await settle()
  for (const [key, entry] of entries) entries.set(key, spoil(String(entry)))
  const next = start()
  const failures: StoreFailed[] = []
  next.on('storeFailed', (failure) => failures.push(failure))
  expect((await next.getAccessToken('c')).value).toBe('token-2')
  expect(failures).toEqual([{ operation: 'get', reason: 'invalid_entry' }])
  await settle()
  expect((await start().getAccessToken('c')).value).toBe('token-2')
  expect(endpoint.requests).toHaveLength(2)
})

test('a wall clock that is behind does not make a stored token live longer', async () => {
  const { clock, endpoint, start } = fleet(memoryStore())
  await start().getAccessToken('c')
  clock.jumpWallClock(-3_600_000)
  const slow = start()
  expect((await slow.getAccessToken('c')).value).toBe('token-1')
  await clock.advance(91_000)
  expect((await slow.getAccessToken('c')).value).toBe('token-2')
  expect(endpoint.requests).toHaveLength(2)
})

test('a process whose wall clock is ahead replaces the stored token, once', async () => {
  const { clock, endpoint, start } = fleet(memoryStore())
  await start().getAccessToken('c')
  clock.jumpWallClock(3_600_000)
  const tokens = start()
  for (let call = 0; call < 10; call++) expect((await tokens.getAccessToken('c')).value).toBe('token-2')
  expect(endpoint.requests).toHaveLength(2)
})

test('a store that lost its last write does not bring back an older token', async () => {
  const values = new Map<string, string>()
  const { clock, endpoint, start } = fleet({
    get: (key) => values.get(key),
    set: (key, value) => void values.set(key, value),
    delete: (key) => void values.delete(key),
  })
  const tokens = start()
  await tokens.getAccessToken('c')
  await settle()
  const older = new Map(values)
  await clock.advance(15_000)
  const newer = await tokens.getAccessToken('c', { forceRenewal: true })
  await settle()
  // A replica takes over that has not got the last write.
  for (const [key, value] of older) values.set(key, value)
  endpoint.respondAlways(new TypeError('fetch failed'))
  // The store is asked whether it still has the token.
  await clock.advance(61_000)
  void tokens.getAccessToken('c')
  await clock.advance(5_000)
  expect((await tokens.getAccessToken('c')).value).toBe(newer.value)
})
