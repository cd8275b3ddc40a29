import { inspect } from 'node:util'
import { type KeyvClient, KeyvStoreError, keyvStore } from '@tokenward/store-keyv'
import { MINUTE, newKey } from '@tokenward/test-support'
import { Keyv } from 'keyv'
import { describe, expect, test } from 'vitest'
import { versions } from './support'

const TOKEN = 'a-token-in-clear-text'

/** A backend whose every command fails. */
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
  test('when the backend fails, get, set and delete fail with its code and nothing else of its error', async () => {
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

  test('a backend that refuses a value is a failure of set', async () => {
    const store = keyvStore(createKeyv(failing(() => false)))
    expect(await errorOf(store.set(newKey(), TOKEN, MINUTE))).toMatchObject({
      message: 'set failed: not_kept',
      code: 'not_kept',
    })
  })

  test('an entry that Keyv cannot parse is a failure', async () => {
    const store = keyvStore(createKeyv(failing(() => '{"value":')))
    expect(await errorOf(store.get(newKey()))).toMatchObject({ message: 'get failed: invalid_entry' })
  })

  test('the store works again when the backend does', async () => {
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

  test('a value that is found is returned, although another operation fails at the same time', async () => {
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

test('a Keyv 5 that throws is a failure too, and so is one that emits nothing', async () => {
  for (const options of [{ throwOnErrors: true }, { throwOnErrors: true, emitErrors: false }, { emitErrors: false }]) {
    const store = keyvStore(new Keyv({ store: failing(refuse), ...options }))
    expect(await errorOf(store.get(newKey()))).toMatchObject({ code: 'ECONNREFUSED' })
    expect(await errorOf(store.set(newKey(), TOKEN, MINUTE))).toBeInstanceOf(KeyvStoreError)
  }
})

test.each<[what: string, thrown: () => unknown, code: string]>([
  ['a string', () => TOKEN, 'failed'],
  ['undefined', () => undefined, 'failed'],
  ['a number', () => 5, 'failed'],
  ['an array', () => [TOKEN], 'failed'],
  ['an object that is not an error', () => ({ name: 'Secret', message: TOKEN }), 'failed'],
  ['an error without a code', () => new Error(TOKEN), 'failed'],
  [
    'an error class of the backend',
    () => Object.assign(new Error(TOKEN), { name: 'MongoServerError' }),
    'MongoServerError',
  ],
  ['a code that is not a code', () => Object.assign(new TypeError(TOKEN), { code: `${TOKEN} is wrong` }), 'TypeError'],
  ['a name that is not a name', () => Object.assign(new Error(TOKEN), { name: TOKEN }), 'failed'],
  ['a code that is a number', () => Object.assign(new Error(TOKEN), { code: 7 }), 'failed'],
  ['a code that is an array', () => Object.assign(new Error(TOKEN), { code: ['ECONNREFUSED'] }), 'failed'],
  ['a huge code', () => Object.assign(new Error(TOKEN), { code: TOKEN.repeat(100_000) }), 'failed'],
  ['a getter that throws', () => withThrowingGetter('code'), 'failed'],
  ['a revoked proxy', () => revoked(), 'failed'],
])('an error of every operation has a code and leaks nothing when the Keyv throws %s', async (_what, thrown, code) => {
  for (const store of [keyvStore(throwing(thrown)), keyvStore(emitting(thrown))]) {
    for (const [operation, call] of [
      ['get', () => store.get(newKey())],
      ['set', () => store.set(newKey(), TOKEN, MINUTE)],
      ['delete', () => store.delete(newKey())],
    ] as const) {
      const error = await errorOf(call())
      expect(error).toBeInstanceOf(KeyvStoreError)
      expect(error).toMatchObject({ message: `${operation} failed: ${code}`, code })
      expect(inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true })).not.toContain(TOKEN)
    }
  }
})

test.each<[what: string, entry: unknown]>([
  ['a number', 5],
  ['an array', [TOKEN]],
  ['a string', TOKEN],
  ['a value that is an array', { value: [TOKEN] }],
  ['a getter that throws', withThrowingGetter('value')],
])('an entry that is %s is a failure with the code invalid_entry', async (_what, entry) => {
  const store = keyvStore({ ...throwing(() => undefined), getRaw: async () => entry })
  const error = await errorOf(store.get(newKey()))
  expect(error).toMatchObject({ message: 'get failed: invalid_entry', code: 'invalid_entry' })
  expect(inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true })).not.toContain(TOKEN)
})

test('a value that is not a Keyv is refused at once', () => {
  for (const keyv of [undefined, null, {}, new Map(), { get() {}, set() {}, delete() {}, on() {} }, 'memcached:']) {
    expect(() => keyvStore(keyv as unknown as KeyvClient)).toThrow(/keyv must be a Keyv/)
  }
})

/** A Keyv that throws, before it returns a promise: the store must not depend on that. */
function throwing(thrown: () => unknown): KeyvClient {
  const fail = () => {
    throw thrown()
  }
  return { getRaw: fail, set: fail, delete: fail, on: () => undefined }
}

/** A Keyv that emits an error and returns what it returns for a missing value, as Keyv does by default. */
function emitting(thrown: () => unknown): KeyvClient {
  const listeners: ((error: unknown) => void)[] = []
  const fail = async () => {
    for (const listener of listeners) listener(thrown())
    return undefined as never
  }
  return { getRaw: fail, set: fail, delete: fail, on: (_event, listener) => listeners.push(listener) }
}

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
