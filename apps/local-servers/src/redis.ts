import { Redis, type RedisOptions } from 'ioredis'
import { redisProgram, startRedisProcess } from './redis-process'

/** A Redis for tests and samples: the one at `REDIS_URL`, or a process that this module started. */
export interface TestRedis {
  readonly url: string
  /** Connects a client that fails fast, and which `stop` disconnects. */
  connect(options?: Omit<RedisOptions, 'replyMapping'>): Redis
  /** Disconnects the clients, and ends the process if this module started it. */
  stop(): Promise<void>
}

/**
 * Whether there is a Redis. When there is none, it writes that to standard error.
 *
 * @throws Error when there is none and `CI` is set
 */
export async function hasRedis(): Promise<boolean> {
  return Boolean(process.env.REDIS_URL ?? (await redisProgram()))
}

/**
 * Starts a Redis, or uses the one at `REDIS_URL`.
 *
 * @throws Error when there is no Redis, or it does not respond. The message never holds the URL, which may have a password.
 */
export async function startRedis(): Promise<TestRedis> {
  if (!(await hasRedis()))
    throw new Error(
      'No Redis was found. Set REDIS_URL to the URL of a Redis, or REDIS_BIN to the path of a redis-server.',
    )
  const server = process.env.REDIS_URL ? undefined : await startRedisProcess()
  const url = process.env.REDIS_URL ?? `redis://127.0.0.1:${server?.port}`
  const clients: Redis[] = []
  // Fails here at once. Otherwise every test would wait for its time limit.
  const probe = new Redis(url, { maxRetriesPerRequest: 0, retryStrategy: () => null })
  probe.on('error', () => undefined)
  try {
    await probe.ping()
  } catch {
    throw new Error(`Redis does not respond.${server ? '' : ' Check REDIS_URL.'}`)
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
