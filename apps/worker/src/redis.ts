import type { TokenStore } from '@tokenward/core'
import { startRedis } from '@tokenward/local-servers'
import { redisStore } from '@tokenward/store-redis'
import { Redis } from 'ioredis'

/** The Redis in which the sample keeps tokens. */
export interface SampleRedis {
  readonly store: TokenStore
  /** Its host and port, without credentials. */
  readonly address: string
  close(): Promise<void>
}

/**
 * Connects to the Redis at `REDIS_URL`, or starts one.
 *
 * @throws Error when there is none. The message says how to get one.
 */
export async function startSampleRedis(): Promise<SampleRedis> {
  const server = await startRedis()
  const client = new Redis(server.url)
  // ioredis reconnects by itself, and the token manager reports failed operations as `storeFailed`. Without a listener, ioredis
  // would log each error.
  client.on('error', () => undefined)
  const { path, host, port } = client.options
  return {
    store: redisStore(client),
    address: path ?? `${host}:${port}`,
    async close() {
      client.disconnect()
      await server.stop()
    },
  }
}
