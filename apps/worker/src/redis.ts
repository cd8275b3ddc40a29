import type { TokenStore } from '@tokenward/core'
import { startRedis } from '@tokenward/local-servers'
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
  const server = await startRedis()
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
