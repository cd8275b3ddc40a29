import { randomBytes } from 'node:crypto'
import { startRedisProcess } from '@tokenward/local-servers'
import { redisStore } from '@tokenward/store-redis'
import { Redis } from 'ioredis'

/** What the operations of the store cost in a real Redis. */
export interface RedisFigures {
  readonly version: string
  /** CPU of Redis for each operation, in microseconds. */
  readonly cpuUs: Readonly<Record<Operation, number>>
  /** Memory of Redis for each token of 1,000 characters. */
  readonly bytesPerToken: number
}

/** `look`: a process asks, and finds a token. `renew`: one gets the lease, and writes a token under it. */
type Operation = 'look' | 'renew'

const KEYS = 5_000
const LOOKS = 40_000
const CONNECTIONS = 8
const AT_ONCE = 32
const TTL_MS = 3_600_000

/** Measures a Redis of its own. Its CPU is counted, not the time: it shares the machine with the clients. */
export async function measureRedis(): Promise<RedisFigures> {
  const server = await startRedisProcess()
  const clients = Array.from({ length: CONNECTIONS }, () => new Redis(server.port, '127.0.0.1'))
  try {
    const [first] = clients as [Redis]
    const stores = clients.map((client) => redisStore(client))
    const keys = Array.from({ length: KEYS }, () => randomBytes(32).toString('hex'))
    const token = JSON.stringify({ token: 'x'.repeat(1_000) })
    const group = randomBytes(32).toString('hex')
    const storeOf = (index: number) => stores[index % CONNECTIONS] as (typeof stores)[number]

    const before = await memory(first)
    const renew = await cpuOf(first, KEYS, async (index) => {
      const { lease } = (await storeOf(index).lease(String(keys[index]), 10_000)) ?? {}
      await lease?.commit(token, TTL_MS, group)
    })
    const bytesPerToken = ((await memory(first)) - before) / KEYS
    const look = await cpuOf(first, LOOKS, (index) => storeOf(index).lease(String(keys[index % KEYS]), 10_000))
    const [, version = '?'] = /redis_version:(\S+)/.exec(await first.info('server')) ?? []
    return { version, cpuUs: { look, renew }, bytesPerToken }
  } finally {
    for (const client of clients) client.disconnect()
    await server.stop()
  }
}

/** CPU time of Redis for each operation, in microseconds. */
async function cpuOf(client: Redis, count: number, operation: (index: number) => unknown): Promise<number> {
  const before = await cpuSeconds(client)
  let next = 0
  const loop = async () => {
    while (next < count) await operation(next++)
  }
  await Promise.all(Array.from({ length: CONNECTIONS * AT_ONCE }, loop))
  return (((await cpuSeconds(client)) - before) * 1e6) / count
}

async function cpuSeconds(client: Redis): Promise<number> {
  const text = await client.info('cpu')
  return [...text.matchAll(/used_cpu_(?:sys|user):([\d.]+)/g)].reduce((sum, [, value]) => sum + Number(value), 0)
}

async function memory(client: Redis): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await client.info('memory'))?.[1])
}
