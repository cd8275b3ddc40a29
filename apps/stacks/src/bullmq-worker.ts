import { type Clock, createTokenManager } from '@tokenward/core'
import { createFetch } from '@tokenward/fetch'
import { redisStore } from '@tokenward/store-redis'
import { Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import type { Settings } from './settings'

export const QUEUE = 'catalog'

export interface CatalogQueueWorker {
  readonly worker: Worker<{ path: string }, number>
  close(): Promise<void>
}

/**
 * A BullMQ worker whose jobs call an API. All workers share one token, in the Redis that the queue is in. The tokens have a connection of
 * their own: BullMQ's waits without an end for a Redis that is away, and calls should go on without it.
 */
export function startBullmqWorker(
  { issuer, clientId, clientSecret, api }: Settings,
  redisUrl: string,
  clock?: Clock,
): CatalogQueueWorker {
  const redis = new Redis(redisUrl)
  // Without a listener, ioredis prints each error. The token manager reports them as `storeFailed`.
  redis.on('error', () => {})
  const tokens = createTokenManager({
    clients: { 'catalog.client': { issuer, clientId, clientSecret, scope: 'catalog' } },
    store: redisStore(redis),
    clock,
  })
  const catalog = createFetch(tokens, 'catalog.client', { baseURL: api })
  const worker = new Worker<{ path: string }, number>(
    QUEUE,
    async (job) => {
      const response = await catalog(job.data.path)
      await response.body?.cancel()
      // BullMQ tries the job again, if it was added with `attempts`.
      if (!response.ok) throw new Error(`the catalog responded with ${response.status}`)
      return response.status
    },
    { connection: connectionTo(redisUrl) },
  )
  return {
    worker,
    async close() {
      await worker.close() // waits for the jobs under way
      await tokens.close()
      redis.disconnect()
    },
  }
}

/** BullMQ makes the connection, and ends it. */
export const connectionTo = (url: string) => ({ url, maxRetriesPerRequest: null })

export function catalogQueue(redisUrl: string): Queue<{ path: string }, number> {
  return new Queue<{ path: string }, number>(QUEUE, {
    connection: connectionTo(redisUrl),
  })
}
