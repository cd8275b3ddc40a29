import { Cluster, Redis } from 'ioredis'
import { startRedisProcess } from './redis-process'
import { freePort, type ServerProcess } from './server-process'
import { until } from './until'

const SLOTS = 16_384
const MASTERS = 3

type TestClusterOptions = NonNullable<ConstructorParameters<typeof Cluster>[1]>

/** A Redis Cluster of three masters with a replica each. */
export interface TestCluster {
  readonly nodes: readonly ServerProcess[]
  /** A client that `stop` closes. */
  connect(options?: TestClusterOptions): Cluster
  /** The process that has the master for a key. */
  masterOf(key: string): Promise<ServerProcess>
  stop(): Promise<void>
}

/**
 * Starts six processes and joins them. A master that dies is replaced after about two seconds.
 *
 * @throws Error when there is no redis-server, or they do not come together within 15 s.
 */
export async function startCluster(): Promise<TestCluster> {
  const buses: number[] = []
  const starting = Array.from({ length: MASTERS * 2 }, (_, index) =>
    startRedisProcess({
      // Called for every try: when a port turns out to be taken, the next try has another bus port as well.
      async args() {
        const bus = await freePort()
        buses[index] = bus
        const options = {
          'cluster-enabled': 'yes',
          // By default the bus would be at port + 10,000, where nobody has looked whether it is free.
          'cluster-port': String(bus),
          'cluster-node-timeout': '1000',
          'repl-diskless-sync-delay': '0',
          // A replica is listed once it has heard something of its master: by default within ten seconds.
          'repl-ping-replica-period': '1',
        }
        return Object.entries(options).flatMap(([name, value]) => [`--${name}`, value])
      },
    }),
  )
  const nodes = await Promise.all(starting)
  const admins = nodes.map(({ port }) => new Redis(port, '127.0.0.1'))
  // Nodes that die are what some tests are about.
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
    async masterOf(key) {
      const admin = admins.find(({ status }) => status === 'ready')
      if (!admin) throw new Error('no node of the cluster is left')
      const slot = Number(await admin.cluster('KEYSLOT', key))
      const ranges = await admin.cluster('SLOTS')
      const range = ranges.find(([from, to]) => from <= slot && slot <= to)
      const node = nodes.find(({ port }) => port === range?.[2]?.[1])
      if (!node) throw new Error(`no master for the slot ${slot}`)
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
      // Two nodes with the same epoch would have to find out first who is right.
      await admin.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1)
      const from = Math.floor((SLOTS / MASTERS) * index)
      const to = Math.floor((SLOTS / MASTERS) * (index + 1)) - 1
      if (index < MASTERS) await admin.call('CLUSTER', 'ADDSLOTSRANGE', from, to)
      // Each one meets all: hearsay would take ten times as long.
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
