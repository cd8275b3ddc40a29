import { randomInt } from 'node:crypto'
import type { StoreLease } from '@tokenward/core'
import { hasRedis, startRedis } from '@tokenward/local-servers'
import { type RedisClient, redisStore } from '@tokenward/store-redis'
import type { Redis } from 'ioredis'
import { describe, expect, test } from 'vitest'
import { Random } from '../src/random'
import { RedisModel, type Reply } from '../src/redis-model'

const HOUR_MS = 3_600_000

/** Sends each command to a real Redis and to the model, and fails when one of them replies something else. */
class BothRedis implements RedisClient {
  readonly differences: string[] = []
  readonly #real: Redis
  readonly #model: RedisModel

  constructor(real: Redis, model: RedisModel) {
    this.#real = real
    this.#model = model
  }

  get = (key: string) => this.run('GET', key) as Promise<string | null>
  set = (key: string, value: string, unit: 'PX', milliseconds: number) =>
    this.run('SET', key, value, unit, String(milliseconds))
  del = (...keys: string[]) => this.run('DEL', ...keys)
  eval = (script: string, numberOfKeys: number, ...rest: string[]) =>
    this.run('EVAL', script, String(numberOfKeys), ...rest)

  /** The clocks of the two read a little apart. */
  async compareTimeToLive(key: string): Promise<void> {
    const real = Number(await this.#real.pttl(key))
    const model = Number(this.#model.run('PTTL', key))
    const isSame = Math.min(real, model) < 0 ? real === model : Math.abs(real - model) < HOUR_MS / 4
    if (!isSame) this.differences.push(`PTTL ${key}: ${real}, the model: ${model}`)
  }

  async run(command: string, ...args: string[]): Promise<Reply> {
    const [real, model] = await Promise.all([
      outcome(async () => this.#real.call(command, ...args)),
      outcome(async () => this.#model.run(command, ...args)),
    ])
    if (JSON.stringify(real) !== JSON.stringify(model)) {
      this.differences.push(
        `${command} ${args.join(' ')}: ${JSON.stringify(real)}, the model: ${JSON.stringify(model)}`,
      )
    }
    if ('error' in real) throw new Error(real.error)
    return real.reply
  }
}

/** The reply. Of an error only its code: how Redis 6, 7 and 8 word the rest differs. */
async function outcome(run: () => Promise<unknown>): Promise<{ reply: Reply } | { error: string }> {
  try {
    return { reply: (await run()) as Reply }
  } catch (error) {
    const [, code = 'ERR'] = /\b(WRONGTYPE|ERR)\b/.exec(String(error)) ?? []
    return { error: code }
  }
}

describe.skipIf(!(await hasRedis()))('the model of Redis', () => {
  test('replies as a real Redis does to random operations of the Redis store', async ({ onTestFinished }) => {
    const redis = await startRedis()
    onTestFinished(() => redis.stop())
    const connection = redis.connect({ protocol: 2 } as object)
    const keyPrefix = `model-${randomInt(2 ** 40)}:`
    const seed = randomInt(2 ** 40)
    const random = new Random(seed)
    const both = new BothRedis(connection, new RedisModel(() => Date.now()))
    const store = redisStore(both, { keyPrefix })
    const leases: StoreLease[] = []
    const keys = ['a', 'b']
    const values = ['first value', 'second value', 'ü']
    const groups = ['g', 'h', undefined]
    const redisKeys = keys.flatMap((key) => [`${keyPrefix}{${key}}`, `${keyPrefix}{${key}}:lease`])
    for (const group of ['g', 'h'])
      redisKeys.push(`${keyPrefix}group:{${group}}`, `${keyPrefix}group:{${group}}:deleting`)
    const ttl = () => random.pick([HOUR_MS, 2 * HOUR_MS, 0])
    const steps: Record<string, () => unknown> = {
      get: () => store.get(random.pick(keys)),
      set: () => store.set(random.pick(keys), random.pick(values), ttl(), random.pick(groups)),
      delete: () => store.delete(random.pick(keys)),
      deleteGroup: () => store.deleteGroup(random.pick(['g', 'h'])),
      lease: () => takeLease(random.pick([undefined, ...values])),
      leaseAgain: () => takeLease(undefined),
      commit: () => leases.length > 0 && random.pick(leases).commit(random.pick(values), ttl(), random.pick(groups)),
      release: () => leases.length > 0 && random.pick(leases).release(),
      foreignType: () => both.run('RPUSH', random.pick(redisKeys), 'x'),
      foreignLease: () => both.run('SET', `${keyPrefix}{a}:lease`, 'without an expiry'),
      foreignScore: () =>
        both.run('ZADD', random.pick(redisKeys.slice(-2)), random.pick(['+inf', '-inf', '5', '1e300']), 'x'),
      // The end of its time, whatever this machine's speed.
      expire: () => both.run('PEXPIREAT', random.pick(redisKeys), '1'),
    }
    async function takeLease(staleValue: string | undefined) {
      const { lease } = (await store.lease(random.pick(keys), HOUR_MS, staleValue, random.pick(groups))) ?? {}
      if (lease) leases.push(lease)
      if (leases.length > 4) leases.shift()
    }
    const names = Object.keys(steps)
    for (let number = 0; number < 500; number++) {
      const name = random.pick(names)
      if (name === 'foreignType' && random.chance(0.7)) continue
      // A key of another type makes some operations fail. That is compared, too.
      await Promise.resolve(steps[name]?.()).catch(() => {})
      for (const key of redisKeys) {
        await both.run('TYPE', key)
        await both.compareTimeToLive(key)
        if (key.includes('group')) await both.run('ZRANGE', key, '0', '-1').catch(() => {})
        else await both.run('GET', key).catch(() => {})
      }
      expect(both.differences, `seed ${seed}, step ${number} (${name})`).toEqual([])
    }
    for (const key of redisKeys) await connection.del(key)
  })
})
