import type { TokenStore } from '@tokenward/core'
import { hasRedis, startRedis } from '@tokenward/local-servers'
import { redisStore } from '@tokenward/store-redis'
import { Redis } from 'ioredis'

/** A Redis that the sample workers keep their tokens in. */
export interface SampleRedis {
  readonly store: TokenStore
  /** Where it is, without credentials. */
  readonly address: string
  close(): Promise<void>
}

/** The Redis of `REDIS_URL`, or one of our own. @throws Error saying how to get one when there is none. */
export async function startSampleRedis(): Promise<SampleRedis> {
  if (!(await hasRedis())) throw new Error('There is no Redis: set REDIS_URL to one, or REDIS_BIN to a redis-server.')
  const server = await startRedis().catch(() => {
    // Without what was thrown: that may quote the URL, which may hold a password.
    throw new Error(`Redis does not answer${process.env.REDIS_URL ? ': is REDIS_URL right?' : ''}`)
  })
  const client = new Redis(server.url)
  // What fails there is told by the token manager; the client goes on trying.
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
