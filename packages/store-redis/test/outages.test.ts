import {
  type FaultProxy,
  redisProgram,
  type ServerProcess,
  startCluster,
  startFaultProxy,
  startRedisProcess,
  startSentinel,
} from '@tokenward/local-servers'
import { type Cluster, Redis, type RedisOptions } from 'ioredis'
import { describe, type TestContext, test } from 'vitest'
import { startFleetUnderLoad, TUNED } from './fleet-under-load'

const OUTAGE_MS = 3_000

/** What goes wrong with a Redis at a port, and how it ends. */
interface Outage {
  readonly port: number
  begin(): Promise<void> | void
  end(): Promise<void> | void
}

async function startServer({ onTestFinished }: TestContext): Promise<ServerProcess> {
  const server = await startRedisProcess()
  onTestFinished(() => server.stop())
  return server
}

async function behindProxy(context: TestContext): Promise<FaultProxy> {
  const proxy = await startFaultProxy((await startServer(context)).port)
  context.onTestFinished(() => proxy.close())
  return proxy
}

function connect({ onTestFinished }: TestContext, port: number, options: Omit<RedisOptions, 'replyMapping'>): Redis {
  const client = new Redis(port, '127.0.0.1', options)
  client.on('error', () => undefined)
  onTestFinished(() => client.disconnect())
  return client
}

const OUTAGES: [what: string, prepare: (context: TestContext) => Promise<Outage>][] = [
  [
    'refuses connections',
    async (context) => {
      const proxy = await behindProxy(context)
      return { port: proxy.port, begin: proxy.refuse, end: proxy.heal }
    },
  ],
  [
    'is silent',
    async (context) => {
      const proxy = await behindProxy(context)
      return { port: proxy.port, begin: proxy.stall, end: proxy.heal }
    },
  ],
  [
    'is killed, and another starts in its place',
    async (context) => {
      const { port, signal } = await startServer(context)
      const restart = async () => {
        const next = await startRedisProcess({ port })
        context.onTestFinished(() => next.stop())
      }
      return { port, begin: () => signal('SIGKILL'), end: restart }
    },
  ],
  [
    'stands still (SIGSTOP), and goes on',
    async (context) => {
      const { port, signal } = await startServer(context)
      return { port, begin: () => signal('SIGSTOP'), end: () => signal('SIGCONT') }
    },
  ],
]

const CLIENTS = [
  ['ioredis’s defaults', {}],
  ['a tuned client', TUNED],
] as const

describe.skipIf(!(await redisProgram())).concurrent.each(CLIENTS)('with %s', (_client, options) => {
  test.for(OUTAGES)('a Redis that %s costs no call', async ([, prepare], context) => {
    const { port, begin, end } = await prepare(context)
    const fleet = await startFleetUnderLoad(() => connect(context, port, options))
    await fleet.shares()
    await fleet.survives(OUTAGE_MS, begin, end)
  })

  test('a Redis that is not there from the start costs no call', async (context) => {
    const proxy = await behindProxy(context)
    await proxy.refuse()
    const fleet = await startFleetUnderLoad(() => connect(context, proxy.port, options))
    await fleet.survives(OUTAGE_MS, () => {}, proxy.heal)
  })

  test('a Cluster of which a master dies costs no call', async ({ onTestFinished }) => {
    const cluster = await startCluster()
    onTestFinished(() => cluster.stop())
    const clients: Cluster[] = []
    const fleet = await startFleetUnderLoad(() => {
      const client = cluster.connect({ redisOptions: options })
      clients.push(client)
      return client
    })
    await fleet.shares()
    // The master that has the token's key.
    const keys = await Promise.all((clients[0]?.nodes('master') ?? []).map((node) => node.keys('tokenward:{*}')))
    const master = await cluster.masterOf(String(keys.flat()[0]))
    await fleet.survives(OUTAGE_MS, () => master.signal('SIGKILL'))
  })

  test('Sentinels whose master dies cost no call', async ({ onTestFinished }) => {
    const sentinel = await startSentinel()
    onTestFinished(() => sentinel.stop())
    const fleet = await startFleetUnderLoad(() => sentinel.connect(options))
    await fleet.shares()
    const master = await sentinel.master()
    await fleet.survives(OUTAGE_MS, () => master.signal('SIGKILL'))
  })
})
