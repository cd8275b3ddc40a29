import { Redis, type RedisOptions } from 'ioredis'
import { redisProgram, startRedisProcess } from './redis-process'

/** A Redis to test against: the one of `REDIS_URL`, or a process of our own. */
export interface TestRedis {
  readonly url: string
  /** A client that fails fast, which `stop` closes. */
  connect(options?: Omit<RedisOptions, 'replyMapping'>): Redis
  stop(): Promise<void>
}

/** Whether there is a Redis here; false is said on stderr, and an error when `CI` is set. */
export async function hasRedis(): Promise<boolean> {
  return Boolean(process.env.REDIS_URL ?? (await redisProgram()))
}

/**
 * @throws Error saying what to do when there is no Redis, or the one of `REDIS_URL` does not answer. It quotes nothing
 * of the URL, which may hold a password.
 */
export async function startRedis(): Promise<TestRedis> {
  if (!(await hasRedis())) throw new Error('There is no Redis: set REDIS_URL to one, or REDIS_BIN to a redis-server.')
  const server = process.env.REDIS_URL ? undefined : await startRedisProcess()
  const url = process.env.REDIS_URL ?? `redis://127.0.0.1:${server?.port}`
  const clients: Redis[] = []
  // One that is not there would otherwise show as a time limit in every single test.
  const probe = new Redis(url, { maxRetriesPerRequest: 0, retryStrategy: () => null })
  probe.on('error', () => undefined)
  try {
    await probe.ping()
  } catch {
    throw new Error(`Redis does not answer${server ? '' : ': is REDIS_URL right?'}`)
  } finally {
    probe.disconnect()
  }
  return {
    url,
    connect(options = {}) {
      const client = new Redis(url, { maxRetriesPerRequest: 1, ...options })
      clients.push(client)
      return client
    },
    async stop() {
      for (const client of clients) client.disconnect()
      await server?.stop()
    },
  }
}
