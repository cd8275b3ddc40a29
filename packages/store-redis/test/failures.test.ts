import { inspect } from 'node:util'
import { type RedisClient, RedisStoreError, redisStore } from '@tokenward/store-redis'
import { Redis } from 'ioredis'
import { expect, test } from 'vitest'

const TOKEN = 'a-token-in-clear-text'

function reply(message: string): Error {
  // As ioredis makes them.
  const error = Object.assign(new Error(message), { command: { name: 'set', args: ['key', TOKEN, 'PX', '1'] } })
  error.name = 'ReplyError'
  return error
}

function failing(error: Error): RedisClient {
  const fail = () => Promise.reject(error)
  return { get: fail, set: fail, del: fail, eval: fail }
}

async function errorOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => undefined,
    (error: unknown) => error,
  )
}

test.each([
  ['READONLY You can’t write against a read only replica.', 'set failed: READONLY'],
  [`ERR unknown command 'SET', with args beginning with: 'key' '${TOKEN}'`, 'set failed: ERR'],
  [`${TOKEN} is what it says`, 'set failed: failed'],
])('an error has the code of Redis and nothing else of its reply: %s', async (message, told) => {
  const error = await errorOf(Promise.resolve(redisStore(failing(reply(message))).set('key', TOKEN, 1_000)))
  expect(error).toBeInstanceOf(RedisStoreError)
  expect(error).toMatchObject({ message: told, code: told.split(': ')[1] })
  expect(inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true })).not.toContain(TOKEN)
})

test('every operation says its name when it fails, and has a code', async () => {
  const store = redisStore(failing(new Error('Connection is closed.')))
  for (const [operation, call] of [
    ['get', store.get('key')],
    ['set', store.set('key', TOKEN, 1_000)],
    ['delete', store.delete('key')],
    ['lease', store.lease('key', 1_000)],
  ] as const) {
    expect(await errorOf(Promise.resolve(call))).toMatchObject({
      message: `${operation} failed: connection_closed`,
      code: 'connection_closed',
    })
  }
})

test('commit and release say their names too', async () => {
  let works = true
  const answer = async () => {
    if (works) return ['lease']
    throw reply('LOADING Redis is loading the dataset in memory')
  }
  const store = redisStore({ ...failing(reply('LOADING it')), eval: answer })
  const lease = (await store.lease('key', 1_000))?.lease
  works = false
  expect(await errorOf(Promise.resolve(lease?.commit(TOKEN, 1_000)))).toMatchObject({
    message: 'commit failed: LOADING',
  })
  expect(await errorOf(Promise.resolve(lease?.release()))).toMatchObject({ message: 'release failed: LOADING' })
})

test('a thrown value that is not an error has the code failed', async () => {
  const store = redisStore({ ...failing(new Error()), get: () => Promise.reject(TOKEN) })
  expect(await errorOf(Promise.resolve(store.get('key')))).toMatchObject({ code: 'failed' })
})

test.each([
  [
    'a code that throws',
    Object.defineProperty(new Error(TOKEN), 'code', {
      get: () => {
        throw new Error(TOKEN)
      },
    }),
  ],
  ['a huge message', new Error(TOKEN.repeat(100_000))],
  ['null', null],
])('an error of the client with %s leaks nothing', async (_what, thrown) => {
  const store = redisStore({ ...failing(new Error()), get: () => Promise.reject(thrown) })
  const error = await errorOf(Promise.resolve(store.get('key')))
  expect(error).toMatchObject({ message: 'get failed: failed', code: 'failed' })
  expect(inspect(error, { depth: null, showHidden: true })).not.toContain(TOKEN)
})

test('a reply that the script cannot have given grants no lease', async () => {
  for (const reply of [undefined, null, 'lease', ['value', 1], ['value'], [['lease']], {}]) {
    const store = redisStore({ ...failing(new Error()), eval: async () => reply })
    expect(await store.lease('key', 1_000)).toBeUndefined()
  }
})

test('while Redis is away, leases of 50,000 keys cost no more than those of a few', async () => {
  const store = redisStore(failing(new Error('Connection is closed.')))
  const msOf = async (count: number) => {
    const start = performance.now()
    for (let key = 0; key < count; key++) await errorOf(Promise.resolve(store.lease(`key-${key}`, 60_000)))
    return (performance.now() - start) / count
  }
  await msOf(2_000)
  const few = await msOf(2_000)
  // Quadratic work would make it 25 times as much.
  expect(await msOf(50_000)).toBeLessThan(few * 10)
}, 60_000)

test('a Redis that cannot be reached gives an error of the store', async () => {
  const client = new Redis(1, '127.0.0.1', { maxRetriesPerRequest: 0, retryStrategy: () => null })
  client.on('error', () => undefined)
  expect(await errorOf(Promise.resolve(redisStore(client).set('key', TOKEN, 1_000)))).toBeInstanceOf(RedisStoreError)
  client.disconnect()
})

test('a value that is not a client, and a prefix that a Cluster would misread, are refused at once', () => {
  for (const client of [undefined, null, {}, { get() {} }, 'redis://127.0.0.1']) {
    expect(() => redisStore(client as unknown as RedisClient)).toThrow(/client must be an ioredis client/)
  }
  const client = failing(new Error())
  for (const keyPrefix of ['{app}', 'a}', '{', 1 as unknown as string, null as unknown as string]) {
    expect(() => redisStore(client, { keyPrefix })).toThrow(/keyPrefix must be a string without braces/)
  }
  expect(() => redisStore(client, { keyPrefix: undefined })).not.toThrow()
})
