import { inspect } from 'node:util'
import type { TokenStore } from '@tokenward/core'
import { type EncryptionKey, encryptedStore, UndecryptableValue } from '@tokenward/store-encrypted'
import { memoryStore } from '@tokenward/store-memory'
import { storeConformance } from '@tokenward/store-testkit'
import { LeasingStore } from '@tokenward/test-support'
import { base64url, CompactEncrypt, compactDecrypt, decodeProtectedHeader, exportJWK, generateSecret } from 'jose'
import { describe, expect, test } from 'vitest'

const MINUTE = 60_000
const TOKEN = 'a-token-in-clear-text'

const newKey = () => crypto.getRandomValues(new Uint8Array(32))

async function thrown(call: () => unknown): Promise<unknown> {
  try {
    await call()
  } catch (error) {
    return error
  }
  return undefined
}

function encrypted(keys: readonly EncryptionKey[] = [newKey()]) {
  const inner = memoryStore()
  const reported: UndecryptableValue[] = []
  const store = encryptedStore(inner, { keys, onUndecryptable: (error) => reported.push(error) })
  return { inner, store, reported }
}

describe('every store’s tests pass over the memory store', () => {
  storeConformance({ test, shortestTtlMs: 20, supportsLease: false, createStore: () => encrypted().store })
})

test('the inner store gets a compact JWE, bound to its key of the store', async () => {
  const secret = newKey()
  const { inner, store } = encrypted([secret])
  await store.set('key', TOKEN, MINUTE)
  const sealed = inner.get('key') ?? ''
  expect(decodeProtectedHeader(sealed)).toEqual({
    alg: 'dir',
    enc: 'A256GCM',
    kid: expect.stringMatching(/^[0-9a-f]{16}$/),
    store_key: 'key',
  })
  const { plaintext } = await compactDecrypt(sealed, secret)
  expect(new TextDecoder().decode(plaintext)).toBe(TOKEN)
})

test('no part of the value is in clear text, and two encryptions of a value differ', async () => {
  const { inner, store } = encrypted()
  await store.set('a', TOKEN, MINUTE)
  const first = inner.get('a') ?? ''
  await store.set('a', TOKEN, MINUTE)
  expect(inner.get('a')).not.toBe(first)
  expect(
    first
      .split('.')
      .map((part) => new TextDecoder().decode(base64url.decode(part)))
      .join(),
  ).not.toContain(TOKEN)
})

test('a value expires after its time to live', async () => {
  const clock = { now: 0 }
  const store = encryptedStore(memoryStore({ now: () => clock.now }), { keys: [newKey()] })
  await store.set('key', TOKEN, 1_000)
  clock.now = 999
  expect(await store.get('key')).toBe(TOKEN)
  clock.now = 1_001
  expect(await store.get('key')).toBeUndefined()
})

describe('keys', () => {
  test('the first key encrypts and all of them decrypt, so a rotation causes no miss', async () => {
    const [old, young] = [newKey(), newKey()]
    const inner = memoryStore()
    const stages = [[old], [old, young], [young, old], [young]].map((keys) => encryptedStore(inner, { keys }))
    for (const [index, stage] of stages.entries()) {
      // During a rotation, processes of neighbouring stages run at the same time.
      for (const other of stages.slice(Math.max(0, index - 1), index + 2)) {
        await stage.set('key', `${TOKEN} ${index}`, MINUTE)
        expect(await other.get('key')).toBe(`${TOKEN} ${index}`)
      }
    }
    await stages[1]?.set('key', TOKEN, MINUTE)
    await expect(stages[3]?.get('key')).rejects.toThrow(UndecryptableValue)
  })

  test('a key may be bytes, a Buffer, or a JWK; the same key has the same name', async () => {
    const bytes = newKey()
    const jwk = { kty: 'oct' as const, k: base64url.encode(bytes) }
    const buffer = Buffer.concat([Buffer.alloc(5), bytes]).subarray(5)
    const inner = memoryStore()
    const stores = [bytes, jwk, buffer].map((key) => encryptedStore(inner, { keys: [key] }))
    for (const writer of stores) {
      await writer.set('key', TOKEN, MINUTE)
      for (const reader of stores) expect(await reader.get('key')).toBe(TOKEN)
    }
    const { kty, k } = await exportJWK(await generateSecret('A256GCM', { extractable: true }))
    const generated = encryptedStore(inner, { keys: [{ kty: kty as 'oct', k: String(k) }] })
    await generated.set('key', TOKEN, MINUTE)
    expect(await generated.get('key')).toBe(TOKEN)
  })

  test('a later change of the caller’s array has no effect', async () => {
    const key = newKey()
    const keys = [key]
    const { inner, store } = encrypted(keys)
    const same = encryptedStore(inner, { keys: [key.slice()] })
    key.fill(0)
    keys.length = 0
    await store.set('key', TOKEN, MINUTE)
    expect(await same.get('key')).toBe(TOKEN)
  })

  test('wrong keys are refused at once, each by its index and without its content', () => {
    const secret = 'c2VjcmV0LWtleS1tYXRlcmlhbA'
    const keys = [
      newKey(),
      new Uint8Array(16),
      { kty: 'oct', k: secret },
      { kty: 'RSA', k: secret },
      { kty: 'oct', k: `${secret}==` },
      { kty: 'oct', k: 5 },
      { kty: 'oct' },
      secret,
      null,
      new Uint8Array(32).buffer,
    ]
    const make = () => encryptedStore(memoryStore(), { keys: keys as EncryptionKey[] })
    expect(make).toThrow(TypeError)
    expect(make).toThrow(
      /^encryptedStore: keys\[1\] must be 32 bytes, not 16: a Uint8Array, or a JWK of type oct; keys\[2\] .*keys\[9\] /,
    )
    expect(make).not.toThrow(/keys\[0\]/)
    expect(make).not.toThrow(new RegExp(secret))
    for (const none of [[], undefined, newKey(), 'key']) {
      expect(() => encryptedStore(memoryStore(), { keys: none as unknown as EncryptionKey[] })).toThrow(
        /keys must be an array of at least one key/,
      )
    }
    expect(() => encryptedStore({} as TokenStore, { keys: [newKey()] })).toThrow(/store must have the method get/)
  })

  test('util.inspect of the store shows no key', async () => {
    const bytes = newKey()
    const k = base64url.encode(bytes)
    for (const key of [bytes, { kty: 'oct' as const, k }]) {
      const { store } = encrypted([key])
      await store.set('key', TOKEN, MINUTE)
      const shown = inspect(store, { depth: Number.POSITIVE_INFINITY, showHidden: true, maxArrayLength: null })
      for (const form of [k, bytes.join(', '), Buffer.from(bytes).toString('hex'), bytes.slice(0, 4).join(', ')]) {
        expect(shown).not.toContain(form)
        expect(JSON.stringify(store)).not.toContain(form)
      }
    }
  })
})

describe('a value that cannot be decrypted', () => {
  const secret = newKey()
  const sealed = async (key: string, keys: readonly EncryptionKey[] = [secret]) => {
    const { inner, store } = encrypted(keys)
    await store.set(key, TOKEN, MINUTE)
    return inner.get(key) ?? ''
  }
  const header = async (fields: object) =>
    new CompactEncrypt(new TextEncoder().encode(TOKEN))
      .setProtectedHeader({ ...decodeProtectedHeader(await sealed('key')), alg: 'dir', enc: 'A256GCM', ...fields })
      .encrypt(secret)
  const swapped = (value: string, part: number) =>
    value
      .split('.')
      .map((each, index) => (index === part ? `${each.startsWith('A') ? 'B' : 'A'}${each.slice(1)}` : each))
      .join('.')

  test.each([
    ['rubbish', async () => 'rubbish'],
    ['nothing', async () => ''],
    ['what was kept without encryption', async () => JSON.stringify({ value: TOKEN })],
    ['an entry of another key of the store', () => sealed('another')],
    ['encrypted by an unknown key', () => sealed('key', [newKey()])],
    ['truncated', async () => (await sealed('key')).slice(0, -5)],
    ['cut after the header', async () => (await sealed('key')).split('.', 1).join()],
    ['with another header', async () => swapped(await sealed('key'), 0)],
    ['with another initialization vector', async () => swapped(await sealed('key'), 2)],
    ['with another ciphertext', async () => swapped(await sealed('key'), 3)],
    ['with another tag', async () => swapped(await sealed('key'), 4)],
    ['without the name of a key', () => header({ kid: undefined })],
    ['with an odd name of a key', () => header({ kid: 5 })],
    ['with a name that objects have', () => header({ kid: '__proto__' })],
    ['without the key of the store', () => header({ store_key: undefined })],
  ])('is a miss that is reported, and can be replaced: %s', async (_what, value) => {
    const { inner, store, reported } = encrypted([secret])
    inner.set('key', await value(), MINUTE)
    const error = await thrown(() => store.get('key'))
    expect(error).toBeInstanceOf(UndecryptableValue)
    expect(error).toMatchObject({ name: 'UndecryptableValue', key: 'key' })
    expect(reported).toEqual([error])
    const shown = inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true })
    expect(shown).not.toContain(TOKEN)
    expect(shown).not.toContain(base64url.encode(secret))
    expect(error).not.toHaveProperty('cause')
    await store.set('key', TOKEN, MINUTE)
    expect(await store.get('key')).toBe(TOKEN)
  })

  test('a failure of the inner store is not reported as undecryptable', async () => {
    const store = encryptedStore({ ...memoryStore(), get: () => Promise.reject(new Error('gone')) }, { keys: [secret] })
    await expect(store.get('key')).rejects.toThrow('gone')
  })

  test('without onUndecryptable it is a miss too', async () => {
    const inner = memoryStore()
    inner.set('key', 'rubbish', MINUTE)
    await expect(encryptedStore(inner, { keys: [secret] }).get('key')).rejects.toThrow(UndecryptableValue)
  })
})

test.each([
  [
    'throws',
    () => {
      throw new Error('listener')
    },
  ],
  [
    'rejects',
    async () => {
      throw new Error('listener')
    },
  ],
])('a value that cannot be decrypted is replaced also when onUndecryptable %s', async (_what, onUndecryptable) => {
  const inner = new LeasingStore()
  const key = crypto.getRandomValues(new Uint8Array(32))
  const store = encryptedStore(inner, { keys: [key], onUndecryptable })
  inner.set('k', 'rubbish', 60_000)
  await expect(store.get('k')).rejects.toMatchObject({ name: 'UndecryptableValue', code: 'undecryptable_value' })
  const result = await store.lease?.('k', 60_000)
  expect(result?.lease).toBeDefined()
  await result?.lease?.commit('token', 60_000)
  expect(await store.get('k')).toBe('token')
})

test('an inner store that returns null for a miss has a miss', async () => {
  const inner = { get: async () => null, set() {}, delete() {}, lease: async () => null }
  const store = encryptedStore(inner as never, { keys: [new Uint8Array(32)] })
  expect(await store.get('k')).toBeUndefined()
  expect(await store.lease?.('k', 1_000)).toBeUndefined()
})

test('deleting a group of the inner store ends a lease on a key that has no value yet', async () => {
  const store = encryptedStore(new LeasingStore(), { keys: [new Uint8Array(32).fill(1)] })
  const result = await store.lease?.('k', 60_000, undefined, 'group')
  await store.deleteGroup?.('group')
  expect(await result?.lease?.commit('late', 60_000, 'group')).toBe(false)
})

test('an inner store may return null for a missing value, beside a lease too', async () => {
  const reported: unknown[] = []
  const held = { commit: () => true, release() {} }
  const results = [{ lease: held, value: null }, { value: null }, null]
  const inner = { ...memoryStore(), get: () => null, lease: () => results.shift() } as unknown as TokenStore
  const store = encryptedStore(inner, { keys: [newKey()], onUndecryptable: (error) => reported.push(error) })
  expect(await store.get('key')).toBeUndefined()
  expect((await store.lease?.('key', MINUTE))?.lease).toBeDefined()
  expect(await store.lease?.('key', MINUTE)).toBeUndefined()
  expect(await store.lease?.('key', MINUTE)).toBeUndefined()
  expect(reported).toEqual([])
})
