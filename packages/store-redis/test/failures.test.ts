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
  [`${TOKEN} is what it says`, 'set failed: ReplyError'],
])('of what Redis answers, the code is told and nothing else: %s', async (message, told) => {
  const error = await errorOf(Promise.resolve(redisStore(failing(reply(message))).set('key', TOKEN, 1_000)))
  expect(error).toBeInstanceOf(RedisStoreError)
  expect(error).toMatchObject({ message: told })
  expect(inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true })).not.toContain(TOKEN)
})

test('every operation tells its name when it fails, and what the client says', async () => {
  const store = redisStore(failing(new Error('Connection is closed.')))
  for (const [operation, call] of [
    ['get', store.get('key')],
    ['set', store.set('key', TOKEN, 1_000)],
    ['delete', store.delete('key')],
    ['lease', store.lease('key', 1_000)],
  ] as const) {
    expect(await errorOf(Promise.resolve(call))).toMatchObject({
      message: `${operation} failed: Connection is closed.`,
    })
  }
})

test('commit and release tell their names too', async () => {
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

test('what is thrown that is no error is told as unknown', async () => {
  const store = redisStore({ ...failing(new Error()), get: () => Promise.reject(TOKEN) })
  expect(await errorOf(Promise.resolve(store.get('key')))).toMatchObject({ message: 'get failed: unknown error' })
})

test('a Redis that is not there is an error of the store', async () => {
  const client = new Redis(1, '127.0.0.1', { maxRetriesPerRequest: 0, retryStrategy: () => null })
  client.on('error', () => undefined)
  expect(await errorOf(Promise.resolve(redisStore(client).set('key', TOKEN, 1_000)))).toBeInstanceOf(RedisStoreError)
  client.disconnect()
})

test('what is no client, and a prefix that a Cluster would misread, are refused at once', () => {
  for (const client of [undefined, null, {}, { get() {} }, 'redis://127.0.0.1']) {
    expect(() => redisStore(client as unknown as RedisClient)).toThrow(/client must be an ioredis client/)
  }
  const client = failing(new Error())
  for (const keyPrefix of ['{app}', 'a}', '{', 1 as unknown as string, null as unknown as string]) {
    expect(() => redisStore(client, { keyPrefix })).toThrow(/keyPrefix must be a string without braces/)
  }
  expect(() => redisStore(client, { keyPrefix: undefined })).not.toThrow()
})
