import { Cluster, Redis } from 'ioredis'
import { startRedisProcess } from './redis-process'
import { freePort, type ServerProcess } from './server-process'
import { until } from './until'

const SLOTS = 16_384
const MASTERS = 3

type TestClusterOptions = NonNullable<ConstructorParameters<typeof Cluster>[1]>

/** A Redis Cluster of three masters with one replica each. */
export interface TestCluster {
  readonly nodes: readonly ServerProcess[]
  /** Connects a client, which `stop` disconnects. */
  connect(options?: TestClusterOptions): Cluster
  /** The process of the master that holds a key. */
  masterOf(key: string): Promise<ServerProcess>
  /**
   * How long a server must be silent to be taken for dead, in milliseconds. Default 1,000: tests that kill one need not wait long.
   * The others use more, so that no replica takes over because the machine is busy.
   */
  noticesDeathAfter(ms: number): Promise<void>
  stop(): Promise<void>
}

/**
 * Starts six processes and makes them a cluster. When a master dies, its replica takes over after about two seconds.
 *
 * @throws Error when there is no redis-server, or the cluster is not complete within two minutes
 */
export async function startCluster(): Promise<TestCluster> {
  const buses: number[] = []
  const starting = Array.from({ length: MASTERS * 2 }, (_, index) =>
    startRedisProcess({
      // Called for every attempt: when a port is taken, the next attempt uses another bus port as well.
      async args() {
        const bus = await freePort()
        buses[index] = bus
        const options = {
          'cluster-enabled': 'yes',
          // The default is the port + 10,000, which may be taken.
          'cluster-port': String(bus),
          'cluster-node-timeout': '1000',
          'repl-diskless-sync-delay': '0',
          // A replica is listed after the first ping of its master. The default is every ten seconds.
          'repl-ping-replica-period': '1',
        }
        return Object.entries(options).flatMap(([name, value]) => [`--${name}`, value])
      },
    }),
  )
  const nodes = await Promise.all(starting)
  const admins = nodes.map(({ port }) => new Redis(port, '127.0.0.1'))
  // Some tests kill nodes. Without a listener, ioredis would log each error.
  for (const admin of admins) admin.on('error', () => undefined)
  const clients: Cluster[] = []
  const stop = async () => {
    for (const client of [...clients, ...admins]) client.disconnect()
    await Promise.all(nodes.map((node) => node.stop()))
  }
  try {
    await join(nodes, buses, admins)
  } catch (error) {
    await stop()
    throw error
  }
  return {
    nodes,
    stop,
    connect(options = {}) {
      const client = new Cluster(
        nodes.map(({ host, port }) => ({ host, port })),
        { slotsRefreshTimeout: 2_000, ...options },
      )
      client.on('error', () => undefined)
      clients.push(client)
      return client
    },
    async noticesDeathAfter(ms) {
      await Promise.all(admins.map((admin) => admin.config('SET', 'cluster-node-timeout', ms)))
    },
    async masterOf(key) {
      const admin = admins.find(({ status }) => status === 'ready')
      if (!admin) throw new Error('no node of the cluster responds')
      const slot = Number(await admin.cluster('KEYSLOT', key))
      const ranges = await admin.cluster('SLOTS')
      const range = ranges.find(([from, to]) => from <= slot && slot <= to)
      const node = nodes.find(({ port }) => port === range?.[2]?.[1])
      if (!node) throw new Error(`no node is the master of slot ${slot}`)
      return node
    },
  }
}

async function join(
  nodes: readonly ServerProcess[],
  buses: readonly number[],
  admins: readonly Redis[],
): Promise<void> {
  await Promise.all(
    admins.map(async (admin, index) => {
      // With equal epochs, the nodes would need time to resolve the conflict.
      await admin.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1)
      const from = Math.floor((SLOTS / MASTERS) * index)
      const to = Math.floor((SLOTS / MASTERS) * (index + 1)) - 1
      if (index < MASTERS) await admin.call('CLUSTER', 'ADDSLOTSRANGE', from, to)
    }),
  )
  // A node that has met another one refuses an epoch, so all of them have theirs by now.
  await Promise.all(
    admins.map(async (admin, index) => {
      // Each node meets all others. By gossip alone it would take ten times as long.
      for (const [other, { port }] of nodes.entries()) {
        if (other < index) await admin.call('CLUSTER', 'MEET', '127.0.0.1', String(port), String(buses[other]))
      }
    }),
  )
  const ids = await Promise.all(admins.map((admin) => admin.call('CLUSTER', 'MYID')))
  await until('every node knows all others', async () => {
    const views = await Promise.all(admins.map((admin) => admin.call('CLUSTER', 'NODES')))
    return views.every(
      (view) => ids.every((id) => String(view).includes(String(id))) && !/handshake/.test(String(view)),
    )
  })
  await Promise.all(admins.slice(MASTERS).map((admin, index) => admin.call('CLUSTER', 'REPLICATE', String(ids[index]))))
  await until('the cluster is complete', async () => {
    const [states, links, slots] = await Promise.all([
      Promise.all(admins.map((admin) => admin.call('CLUSTER', 'INFO'))),
      Promise.all(admins.slice(MASTERS).map((admin) => admin.info('replication'))),
      Promise.all(admins.map((admin) => admin.cluster('SLOTS'))),
    ])
    return (
      states.every((state) => String(state).includes('cluster_state:ok')) &&
      links.every((link) => link.includes('master_link_status:up')) &&
      slots.every((ranges) => ranges.length === MASTERS && ranges.every((range) => range.length === 4))
    )
  })
}
