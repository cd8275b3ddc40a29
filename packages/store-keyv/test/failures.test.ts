import { inspect } from 'node:util'
import { type KeyvClient, KeyvStoreError, keyvStore } from '@tokenward/store-keyv'
import { MINUTE, newKey } from '@tokenward/test-support'
import { Keyv } from 'keyv'
import { describe, expect, test } from 'vitest'
import { versions } from './support'

const TOKEN = 'a-token-in-clear-text'

/** A backend whose every command fails, as a database does that quotes what it was given. */
function failing(fail: () => unknown) {
  const command = async () => fail()
  return { get: command, set: command, delete: command, clear: command, has: command }
}

function refuse(): never {
  throw Object.assign(new Error(`cannot keep ${TOKEN}`), { code: 'ECONNREFUSED', parameters: [TOKEN] })
}

async function errorOf(call: unknown): Promise<unknown> {
  return Promise.resolve(call).then(
    () => undefined,
    (error: unknown) => error,
  )
}

describe.each(versions)('%s', (_version, createKeyv) => {
  test('a backend that fails is a failure of get, set and delete, of which the code is told and nothing else', async () => {
    const store = keyvStore(createKeyv(failing(refuse)))
    for (const [operation, call] of [
      ['get', () => store.get(newKey())],
      ['set', () => store.set(newKey(), TOKEN, MINUTE)],
      ['delete', () => store.delete(newKey())],
      ['delete', () => store.set(newKey(), TOKEN, 0)],
    ] as const) {
      const error = await errorOf(call())
      expect(error).toBeInstanceOf(KeyvStoreError)
      expect(error).toMatchObject({ message: `${operation} failed: ECONNREFUSED`, code: 'ECONNREFUSED' })
      expect(inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true })).not.toContain(TOKEN)
    }
  })

  test('a backend that says that it did not keep a value is a failure', async () => {
    const store = keyvStore(createKeyv(failing(() => false)))
    expect(await errorOf(store.set(newKey(), TOKEN, MINUTE))).toMatchObject({ message: 'set failed: not_kept' })
  })

  test('an entry that Keyv cannot read is a failure', async () => {
    const store = keyvStore(createKeyv(failing(() => '{"value":')))
    expect(await errorOf(store.get(newKey()))).toMatchObject({ message: 'get failed: SyntaxError' })
  })

  test('when the backend is back, so is the store', async () => {
    const entries = new Map<string, unknown>()
    let works = false
    const run = async (call: () => unknown) => (works ? call() : refuse())
    const store = keyvStore(
      createKeyv({
        get: async (key: string) => run(() => entries.get(key)),
        set: async (key: string, value: unknown) => run(() => entries.set(key, value) && true),
        delete: async (key: string) => run(() => entries.delete(key)),
        clear: async () => undefined,
        has: async (key: string) => run(() => entries.has(key)),
      }),
    )
    const key = newKey()
    expect(await errorOf(store.set(key, 'value', MINUTE))).toBeInstanceOf(KeyvStoreError)
    works = true
    expect(await store.get(key)).toBeUndefined()
    await store.set(key, 'value', MINUTE)
    expect(await store.get(key)).toBe('value')
    await store.delete(key)
    await store.delete(key)
    expect(await store.get(key)).toBeUndefined()
  })

  test('a value that is found is given back, whatever else fails at that moment', async () => {
    const [good, bad] = [newKey(), newKey()]
    let release = () => {}
    const failed = new Promise<void>((resolve) => {
      release = resolve
    })
    const backend = {
      ...failing(refuse),
      async get(key: string) {
        if (key.includes(bad)) refuse()
        await failed
        return JSON.stringify({ value: 'value' })
      },
    }
    const store = keyvStore(createKeyv(backend))
    const found = store.get(good)
    expect(await errorOf(store.get(bad))).toBeInstanceOf(KeyvStoreError)
    release()
    expect(await found).toBe('value')
  })
})

test('a Keyv 5 that throws is understood too, and so is one that emits nothing', async () => {
  for (const options of [{ throwOnErrors: true }, { throwOnErrors: true, emitErrors: false }, { emitErrors: false }]) {
    const store = keyvStore(new Keyv({ store: failing(refuse), ...options }))
    expect(await errorOf(store.get(newKey()))).toMatchObject({ code: 'ECONNREFUSED' })
    expect(await errorOf(store.set(newKey(), TOKEN, MINUTE))).toBeInstanceOf(KeyvStoreError)
  }
})

test('what is thrown that is no error, and a code that is no code, are not told', async () => {
  for (const [thrown, told] of [
    [TOKEN, 'unknown error'],
    [undefined, 'unknown error'],
    [Object.assign(new TypeError(TOKEN), { code: `${TOKEN} is wrong` }), 'TypeError'],
    [Object.assign(new Error(TOKEN), { code: 7 }), 'Error'],
  ] as const) {
    const store = keyvStore(throwing(thrown))
    expect(await errorOf(store.get(newKey()))).toMatchObject({ message: `get failed: ${told}`, code: undefined })
  }
})

test('what is no Keyv is refused at once', () => {
  for (const keyv of [undefined, null, {}, new Map(), { get() {}, set() {}, delete() {}, on() {} }, 'memcached:']) {
    expect(() => keyvStore(keyv as unknown as KeyvClient)).toThrow(/keyv must be a Keyv/)
  }
})

function throwing(thrown: unknown): KeyvClient {
  const fail = () => Promise.reject(thrown)
  return { getRaw: fail, set: fail, delete: fail, on: () => undefined }
}
