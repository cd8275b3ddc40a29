import { once } from 'node:events'
import { Cluster, Redis } from 'ioredis'
import type { MemberConfiguration } from './protocol'

const CONNECTS_WITHIN_MS = 10_000

/** What a client may be told, so that it fails fast by itself and does not leave that to the token manager alone. */
const TUNED = {
  commandTimeout: 200,
  maxRetriesPerRequest: 0,
  enableOfflineQueue: false,
  connectTimeout: 1_000,
  autoResendUnfulfilledCommands: false,
}

/** The client of one process, by what it is told of its Redis. @throws TypeError when that is nothing. */
export function redisClient(configuration: MemberConfiguration): Redis | Cluster {
  const client = connect(configuration)
  // What fails there is told by the token manager; the client goes on trying.
  client.on('error', () => undefined)
  return client
}

function connect({ redisUrl, redisNodes, redisSentinel, redisOptions }: MemberConfiguration): Redis | Cluster {
  const options = redisOptions === 'tuned' ? TUNED : {}
  if (redisUrl !== undefined) return new Redis(redisUrl, options)
  if (redisSentinel) return new Redis({ ...options, ...redisSentinel, sentinels: [...redisSentinel.sentinels] })
  if (!redisNodes) throw new TypeError('the process was not told where its Redis is')
  // A cluster's client has its own queue; what it retries is up to it and not to its connections.
  const { enableOfflineQueue = true, maxRetriesPerRequest: _, ...redis } = options as Partial<typeof TUNED>
  return new Cluster([...redisNodes], { enableOfflineQueue, redisOptions: redis })
}

/** Waits for the connection, so that a fleet starts with it; where there is none, the fleet starts without. */
export async function connected(client: Redis | Cluster): Promise<void> {
  if (client.status === 'ready') return
  await once(client, 'ready', { signal: AbortSignal.timeout(CONNECTS_WITHIN_MS) }).catch(() => undefined)
}
