import { Redis, type RedisOptions } from 'ioredis'
import { startRedisProcess } from './redis-process'
import type { ServerProcess } from './server-process'
import { until } from './until'

/** A master, a replica, and three Sentinels that watch them. */
export interface TestSentinel {
  /** The options of a client: the addresses of the Sentinels, and the name of the master. */
  readonly options: { readonly sentinels: { host: string; port: number }[]; readonly name: string }
  readonly servers: readonly ServerProcess[]
  /** Connects a client, which `stop` disconnects. */
  connect(options?: Omit<RedisOptions, 'sentinels' | 'name' | 'replyMapping'>): Redis
  /** The process of the current master. */
  master(): Promise<ServerProcess>
  /**
   * How long a server must be silent to be taken for dead, in milliseconds. Default 1,000: tests that kill one need not wait long.
   * The others use more, so that no replica takes over because the machine is busy.
   */
  noticesDeathAfter(ms: number): Promise<void>
  stop(): Promise<void>
}

/**
 * Starts five processes. When the master dies, the replica takes over after about two seconds.
 *
 * @throws Error when there is no redis-server, or the processes have not found each other within two minutes
 */
export async function startSentinel(): Promise<TestSentinel> {
  const name = 'tokens'
  const first = await startRedisProcess()
  const replicaOf = ['--replicaof', '127.0.0.1', String(first.port), '--repl-diskless-sync-delay', '0']
  const replica = await startRedisProcess({ args: () => replicaOf })
  const servers = [first, replica]
  const config = [
    `sentinel monitor ${name} 127.0.0.1 ${first.port} 2`,
    `sentinel down-after-milliseconds ${name} 1000`,
    `sentinel failover-timeout ${name} 3000`,
  ].join('\n')
  const watchers = await Promise.all([1, 2, 3].map(() => startRedisProcess({ config, args: () => ['--sentinel'] })))
  const admins = watchers.map(({ port }) => new Redis(port, '127.0.0.1'))
  // Some tests kill servers. Without a listener, ioredis would log each error.
  for (const admin of admins) admin.on('error', () => undefined)
  const clients: Redis[] = []
  const stop = async () => {
    for (const client of [...clients, ...admins]) client.disconnect()
    await Promise.all([...servers, ...watchers].map((each) => each.stop()))
  }
  try {
    await until('the Sentinels know each other and the replica', async () => {
      const known = await Promise.all(admins.map((admin) => admin.info('sentinel')))
      return known.every((info) => /status=ok,.*slaves=1,sentinels=3/.test(info))
    })
  } catch (error) {
    await stop()
    throw error
  }
  const options = { sentinels: watchers.map(({ host, port }) => ({ host, port })), name }
  return {
    options,
    servers,
    stop,
    connect(more = {}) {
      const client = new Redis({ ...more, ...options })
      client.on('error', () => undefined)
      clients.push(client)
      return client
    },
    async noticesDeathAfter(ms) {
      await Promise.all(
        admins.map((admin) => admin.call('SENTINEL', 'SET', name, 'down-after-milliseconds', String(ms))),
      )
    },
    async master() {
      const address = await admins[0]?.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name)
      const server = servers.find(({ port }) => Array.isArray(address) && Number(address[1]) === port)
      if (!server) throw new Error('the Sentinels name no master')
      return server
    },
  }
}
