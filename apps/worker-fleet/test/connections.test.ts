import { hasRedis, startCluster, startRedis, startSentinel, until } from '@tokenward/local-servers'
import { describe, expect, type TestContext, test } from 'vitest'
import type { MemberConfiguration } from '../src/protocol'
import { failuresOf, fleetOver } from './support'

const PROCESSES = 3

/** The part of the configuration that names the Redis. */
type RedisConfiguration = Pick<MemberConfiguration, 'redisUrl' | 'redisNodes' | 'redisSentinel'>

const deployments: Record<string, (context: TestContext) => Promise<RedisConfiguration>> = {
  async 'one Redis'({ onTestFinished }) {
    const redis = await startRedis()
    onTestFinished(() => redis.stop())
    return { redisUrl: redis.url }
  },
  async 'a Cluster'({ onTestFinished }) {
    const cluster = await startCluster()
    onTestFinished(() => cluster.stop())
    await cluster.noticesDeathAfter(60_000)
    return { redisNodes: cluster.nodes.map(({ host, port }) => ({ host, port })) }
  },
  async Sentinels({ onTestFinished }) {
    const sentinel = await startSentinel()
    onTestFinished(() => sentinel.stop())
    await sentinel.noticesDeathAfter(60_000)
    return { redisSentinel: sentinel.options }
  },
}
const cases = Object.keys(deployments).flatMap((deployment) => [
  { deployment, redisOptions: 'default' as const },
  { deployment, redisOptions: 'tuned' as const },
])

describe.skipIf(!(await hasRedis())).concurrent('processes share one token', () => {
  test.for(cases)('over $deployment, with $redisOptions options', async ({ deployment, redisOptions }, context) => {
    const redis = await deployments[deployment]?.(context)
    const { fleet, provider } = await fleetOver(context, { processes: PROCESSES, redisOptions, ...redis })
    fleet.go()
    await until('every process has made calls', async () => fleet.members.every(({ counts }) => counts.okCalls > 2))
    await fleet.stop()
    expect(provider.tokenRequests).toHaveLength(1)
    expect(failuresOf(fleet.members)).toEqual([])
    expect(fleet.members.map(({ counts }) => counts.storeFailures)).toEqual(fleet.members.map(() => ({})))
  })
})
