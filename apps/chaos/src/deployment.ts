import { setTimeout as sleep } from 'node:timers/promises'
import {
  type FaultProxy,
  type ServerProcess,
  startCluster,
  startFaultProxy,
  startRedisProcess,
  startSentinel,
  until,
} from '@tokenward/local-servers'
import type { MemberConfiguration, RedisAddress } from '@tokenward/worker-fleet'
import { Redis } from 'ioredis'
import type { Lane } from './plan'
import type { Wire } from './wire'

export type DeploymentName = 'cluster' | 'sentinel'

/** What a worker needs to know of its Redis. */
type RedisConfiguration = Pick<MemberConfiguration, 'redisNodes' | 'redisSentinel' | 'redisNatMap' | 'redisOptions'>

/** A Redis Cluster, or a Redis with Sentinels. Workers connect to it through proxies. */
export interface Deployment {
  readonly name: DeploymentName
  configuration(worker: number): RedisConfiguration
  proxies(lane: Lane): readonly FaultProxy[]
  /** Resolves when every node has responded, or does not respond. */
  ping(): Promise<void>
  /** FLUSHALL on every master. */
  flush(): Promise<void>
  /** Takes a master away until its replica has taken over, and for `forMs` at least. Resolves when it is a replica. */
  failOver(how: 'stop' | 'kill', forMs: number): Promise<void>
  stop(): Promise<void>
}

const LANES = [0, 1] as const

/** A server, and a connection that does not go through a proxy. */
interface Node {
  server: ServerProcess
  readonly admin: Redis
}

/** Starts a Cluster of six nodes, or a master with a replica and three Sentinels. */
export async function startDeployment(name: DeploymentName, wire: Wire): Promise<Deployment> {
  const started = name === 'cluster' ? await startCluster() : await startSentinel()
  const servers = 'nodes' in started ? started.nodes : started.servers
  const replaced: ServerProcess[] = []
  const nodes: Node[] = servers.map((server) => ({ server, admin: connectAdmin(server) }))
  const proxies: { readonly lane: Lane; readonly proxy: FaultProxy; readonly address: string }[] = []
  async function stop(): Promise<void> {
    for (const { admin } of nodes) admin.disconnect()
    await Promise.all(proxies.map(({ proxy }) => proxy.close()))
    await Promise.all([started.stop(), ...replaced.map((server) => server.stop())])
  }
  try {
    for (const lane of LANES) {
      for (const { host, port } of servers) {
        const proxy = await startFaultProxy(port, host, wire.look)
        proxies.push({ lane, proxy, address: `${host}:${port}` })
      }
    }
  } catch (error) {
    await stop()
    throw error
  }
  const masterCount = name === 'cluster' ? servers.length / 2 : 1
  const mastersOf = async (among: readonly Node[]) => {
    const roles = await Promise.all(among.map(roleOf))
    return among.filter((_, index) => roles[index] === 'master')
  }

  return {
    name,
    stop,
    configuration(worker) {
      const own = proxies.filter(({ lane }) => lane === worker % LANES.length)
      const natMap: Record<string, RedisAddress> = {}
      for (const { address, proxy } of own) natMap[address] = { host: '127.0.0.1', port: proxy.port }
      const redisOptions = worker % 4 < LANES.length ? 'default' : 'tuned'
      if ('options' in started) return { redisSentinel: started.options, redisNatMap: natMap, redisOptions }
      return { redisNodes: Object.values(natMap), redisNatMap: natMap, redisOptions }
    },
    proxies: (lane) => proxies.filter((each) => lane === 'both' || each.lane === lane).map(({ proxy }) => proxy),
    async ping() {
      await Promise.all(nodes.map(({ admin }) => admin.ping().catch(() => undefined)))
    },
    async flush() {
      // A master that is stopped cannot be flushed.
      for (const { admin } of await mastersOf(nodes)) await admin.flushall().catch(() => undefined)
    },
    async failOver(how, forMs) {
      const [master] = await byKeys(await mastersOf(nodes))
      if (!master) return
      const others = nodes.filter((node) => node !== master)
      const taken = until('a replica has taken over', async () => (await mastersOf(others)).length === masterCount)
      // Ctrl-C may end the servers first.
      taken.catch(() => undefined)
      if (how === 'stop' || name === 'cluster') {
        master.server.signal('SIGSTOP')
        await Promise.allSettled([taken, sleep(forMs)])
        master.server.signal('SIGCONT')
      } else {
        master.server.signal('SIGKILL')
        await Promise.allSettled([taken, sleep(forMs)])
        const [next] = await mastersOf(others)
        const args = next ? ['--replicaof', '127.0.0.1', String(next.server.port)] : []
        master.server = await startRedisProcess({ port: master.server.port, args: () => args })
        replaced.push(master.server)
      }
      await until('the old master is a replica', async () => (await roleOf(master)) === 'slave')
      await until('it has the data', async () => /master_link_status:up/.test(await master.admin.info('replication')))
    },
  }
}

/** Its commands fail soon when the server does not respond. */
function connectAdmin({ host, port }: ServerProcess): Redis {
  const admin = new Redis(port, host, { commandTimeout: 2_000, maxRetriesPerRequest: 0, connectTimeout: 1_000 })
  admin.on('error', () => undefined)
  return admin
}

async function roleOf({ admin }: Node): Promise<string | undefined> {
  const role = await admin.role().catch(() => undefined)
  return Array.isArray(role) ? String(role[0]) : undefined
}

/** The one with the most keys first. */
async function byKeys(nodes: readonly Node[]): Promise<readonly Node[]> {
  const counts = await Promise.all(nodes.map(({ admin }) => admin.dbsize().catch(() => 0)))
  const counted = nodes.map((node, index) => ({ node, keys: counts[index] ?? 0 }))
  return counted.sort((a, b) => b.keys - a.keys).map(({ node }) => node)
}
