import { setTimeout as sleep } from 'node:timers/promises'
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

function fail(): never {
  throw new Error(TOKEN)
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

test('a reply that the script cannot have given grants no lease, and nobody waits for one', async () => {
  for (const reply of [undefined, null, 'lease', ['value', 1], ['value'], [['lease']], {}]) {
    const store = redisStore({ ...failing(new Error()), eval: async () => reply })
    expect(await errorOf(Promise.resolve(store.lease('key', 1_000)))).toMatchObject({ code: 'unexpected_reply' })
  }
})

test('while Redis is away, leases of 50,000 keys cost no more per key than those of a few', async () => {
  const store = redisStore(failing(new Error('Connection is closed.')))
  // CPU time of this process, because other processes may keep the machine busy.
  const costOf = async (count: number) => {
    const before = process.cpuUsage().user
    for (let key = 0; key < count; key++) await errorOf(Promise.resolve(store.lease(`key-${key}`, 60_000)))
    return (process.cpuUsage().user - before) / count
  }
  await costOf(2_000)
  const few = await costOf(2_000)
  // A walk over all keys at each failure would make it 25 times as much.
  expect(await costOf(50_000)).toBeLessThan(few * 10)
})

test('a lease that may be held unknown is named in the next attempts, 20 of a key and 10,000 keys at most', async () => {
  const attempts: string[][] = []
  const run: RedisClient['eval'] = async (...[, , ...args]) => {
    attempts.push(args)
    throw new Error('Connection is closed.')
  }
  const store = redisStore({ ...failing(new Error()), eval: run })
  // Keys: value and lease. Arguments: the stale value, the lease's id and its time, and the ids of earlier attempts.
  const earlierIds = async (key: string) => {
    attempts.length = 0
    await errorOf(Promise.resolve(store.lease(key, 60_000)))
    return attempts[0]?.slice(5) ?? []
  }
  for (let attempt = 0; attempt < 30; attempt++) expect(await earlierIds('key')).toHaveLength(Math.min(attempt, 20))
  for (let key = 0; key < 9_999; key++) await earlierIds(`key-${key}`)
  expect(await earlierIds('key')).toHaveLength(20)
  for (let key = 0; key < 10_000; key++) await earlierIds(`another-${key}`)
  expect(await earlierIds('key')).toHaveLength(0)
})

test('a lease that may be held unknown is forgotten when its time is over', async () => {
  const ids: number[] = []
  const run: RedisClient['eval'] = async (...[, , ...args]) => {
    ids.push(args.length - 5)
    throw new Error('Connection is closed.')
  }
  const store = redisStore({ ...failing(new Error()), eval: run })
  await errorOf(Promise.resolve(store.lease('key', 20)))
  await sleep(40)
  ids.length = 0
  await errorOf(Promise.resolve(store.lease('key', 20)))
  expect(ids[0]).toBe(0)
})

test('a client that throws instead of rejecting gives an error with a code, and does not end the process', async () => {
  const unhandled: unknown[] = []
  const listener = (reason: unknown) => unhandled.push(reason)
  process.on('unhandledRejection', listener)
  try {
    const store = redisStore({ get: fail, set: fail, del: fail, eval: fail })
    for (const call of [
      () => store.get('key'),
      () => store.set('key', TOKEN, 1_000, 'group'),
      () => store.delete('key'),
      () => store.deleteGroup('group'),
      () => store.lease('key', 1_000, TOKEN, 'group'),
    ]) {
      const error = await errorOf(Promise.resolve(call()))
      expect(error).toMatchObject({ name: 'RedisStoreError', code: 'failed' })
      expect(inspect(error, { depth: null, showHidden: true })).not.toContain(TOKEN)
    }
    // Node reports unhandled rejections after the microtasks.
    await sleep(1)
    expect(unhandled).toEqual([])
  } finally {
    process.off('unhandledRejection', listener)
  }
})

test.each([
  // Redis before 7.
  ['ERR Error running script (call to f_1f2e): @user_script:9: @user_script: 9: -OOM command not allowed', 'OOM'],
  ['ERR Error running script (call to f_1f2e): @user_script: 9: -READONLY You can’t write', 'READONLY'],
  ['ERR Error running script (call to f_1f2e): @user_script:2: WRONGTYPE Operation against a key', 'WRONGTYPE'],
  // Redis 7.
  ['WRONGTYPE Operation against a key script: 1f2e, on @user_script:2.', 'WRONGTYPE'],
  ["ERR The user executing the script can't run this command or subcommand script: 1f2e, on @user_script:4.", 'NOPERM'],
  ['ERR ACL failure in script: User w has no permissions to run the command', 'NOPERM'],
  ['NOAUTH Authentication required.', 'NOAUTH'],
])('the code of a script’s error is that of the command in it: %s', async (message, code) => {
  const store = redisStore(failing(reply(message)))
  expect(await errorOf(Promise.resolve(store.lease('key', 1_000)))).toMatchObject({ code })
})

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
