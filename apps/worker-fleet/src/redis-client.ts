import { once } from 'node:events'
import { Cluster, Redis } from 'ioredis'
import type { MemberConfiguration } from './protocol'

const CONNECTS_WITHIN_MS = 10_000

/** Options with which ioredis fails fast. With its defaults, only the time limit of the token manager ends a slow command. */
const TUNED = {
  commandTimeout: 1_000,
  maxRetriesPerRequest: 0,
  enableOfflineQueue: false,
  connectTimeout: 1_000,
  autoResendUnfulfilledCommands: false,
}

/**
 * Connects one process to its Redis.
 *
 * @throws TypeError when the configuration names no Redis
 */
export function redisClient(configuration: MemberConfiguration): Redis | Cluster {
  const client = connect(configuration)
  // ioredis reconnects by itself, and the token manager reports failed operations as `storeFailed`. Without a listener, ioredis
  // would log each error.
  client.on('error', () => undefined)
  return client
}

function connect(configuration: MemberConfiguration): Redis | Cluster {
  const { redisUrl, redisNodes, redisSentinel, redisOptions, redisNatMap: natMap } = configuration
  const options = redisOptions === 'tuned' ? TUNED : {}
  if (redisUrl !== undefined) return new Redis(redisUrl, options)
  if (redisSentinel) {
    return new Redis({
      ...options,
      ...redisSentinel,
      sentinels: [...redisSentinel.sentinels],
      ...(natMap && { natMap }),
    })
  }
  if (!redisNodes) throw new TypeError('the configuration names no Redis')
  // The Cluster client has a queue and retries of its own. These options belong to it, not to its connections.
  const { enableOfflineQueue = true, maxRetriesPerRequest: _, ...redis } = options as Partial<typeof TUNED>
  return new Cluster([...redisNodes], { enableOfflineQueue, redisOptions: redis, ...(natMap && { natMap }) })
}

/** Waits until the client is connected. After 10 s it gives up, and the fleet starts without Redis. */
export async function connected(client: Redis | Cluster): Promise<void> {
  if (client.status === 'ready') return
  await once(client, 'ready', { signal: AbortSignal.timeout(CONNECTS_WITHIN_MS) }).catch(() => undefined)
}
