import { hasRedis, startCluster, startRedis, startSentinel, until } from '@tokenward/local-servers'
import { describe, expect, type TestContext, test } from 'vitest'
import type { MemberConfiguration } from '../src/protocol'
import { failuresOf, fleetOver } from './support'

const LIMIT = { timeout: 60_000 }
const PROCESSES = 3

/** How a process is told where its Redis is. */
type Place = Pick<MemberConfiguration, 'redisUrl' | 'redisNodes' | 'redisSentinel'>

const places: Record<string, (context: TestContext) => Promise<Place>> = {
  async 'one Redis'({ onTestFinished }) {
    const redis = await startRedis()
    onTestFinished(() => redis.stop())
    return { redisUrl: redis.url }
  },
  async 'a Cluster'({ onTestFinished }) {
    const cluster = await startCluster()
    onTestFinished(() => cluster.stop())
    return { redisNodes: cluster.nodes.map(({ host, port }) => ({ host, port })) }
  },
  async Sentinels({ onTestFinished }) {
    const sentinel = await startSentinel()
    onTestFinished(() => sentinel.stop())
    return { redisSentinel: sentinel.options }
  },
}
const kinds = Object.keys(places).flatMap((place) => [
  { place, redisOptions: 'default' as const },
  { place, redisOptions: 'tuned' as const },
])

describe.skipIf(!(await hasRedis()))('processes share one token', () => {
  test.for(kinds)('over $place, with $redisOptions options', LIMIT, async ({ place, redisOptions }, context) => {
    const where = await places[place]?.(context)
    const { fleet, provider } = await fleetOver(context, { processes: PROCESSES, redisOptions, ...where })
    fleet.go()
    await until('every process has made calls', async () => fleet.members.every(({ counts }) => counts.okCalls > 2))
    await fleet.stop()
    expect(provider.tokenRequests).toHaveLength(1)
    expect(failuresOf(fleet.members)).toEqual([])
    expect(fleet.members.map(({ counts }) => counts.storeFailures)).toEqual(fleet.members.map(() => ({})))
  })
})
