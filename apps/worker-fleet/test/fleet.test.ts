import { setTimeout as sleep } from 'node:timers/promises'
import { hasRedis, until } from '@tokenward/local-servers'
import { describe, expect, test } from 'vitest'
import type { Member } from '../src/fleet'
import { type FleetSetup, failuresOf, fleetSetup, tokenIdsIn } from './support'

// Real processes share a real Redis. The waits are real, because the processes use the real clock.

const LONG = { timeout: 90_000 }
const LIFETIME_MS = 2_000
const LIFETIMES = 20
/** The share of its lifetime after which a token is renewed. */
const RENEWAL_SHARE = 0.8

describe.skipIf(!(await hasRedis()))('a fleet', () => {
  test.for([4, 32])(
    'of %i processes that start at once without a token makes one token request',
    LONG,
    async (processes, context) => {
      const { fleet, provider } = await fleetSetup(context, { processes })
      fleet.go()
      await until('every process has made calls', async () => fleet.members.every(({ counts }) => counts.calls > 2))
      await fleet.stop()
      expect(provider.tokenRequests).toHaveLength(1)
      expect(failuresOf(fleet.members)).toEqual([])
      const { length } = fleet.members.filter(({ counts }) => counts.tokensRequested > 0)
      expect(length).toBe(1)
    },
  )

  test('makes one token request per lifetime, over twenty lifetimes', LONG, async (context) => {
    const options = { processes: 8, lifetimeSeconds: LIFETIME_MS / 1_000, callsPerSecond: 20 }
    const { fleet, provider } = await fleetSetup(context, options)
    fleet.go()
    await until('every process has made calls', async () => fleet.members.every(({ counts }) => counts.calls > 0))
    const startedAt = performance.now()
    const before = provider.tokenRequests.length
    await sleep(LIFETIMES * LIFETIME_MS * RENEWAL_SHARE)
    const lifetimes = (performance.now() - startedAt) / (LIFETIME_MS * RENEWAL_SHARE)
    const requests = provider.tokenRequests.length - before
    await fleet.stop()
    expect(requests / lifetimes).toBeLessThanOrEqual(1.1)
    expect(requests).toBeGreaterThan(LIFETIMES / 2)
    expect(failuresOf(fleet.members)).toEqual([])
    expect(provider.catalog.requests.filter(({ status }) => status !== 200)).toEqual([])
  })

  test('goes on when the process that renews is killed during its token request', LONG, async (context) => {
    const setup = await fleetSetup(context, { processes: 4, timeoutMs: 2_000 })
    const { fleet, provider } = setup
    const holder = await holderOfTheLease(setup)
    holder.signal('SIGKILL')
    const others = fleet.members.filter((member) => member !== holder)
    await until('the others have made calls', async () => others.every(({ counts }) => counts.calls > 2))
    await fleet.stop()
    expect(provider.tokenRequests).toHaveLength(2)
    expect(failuresOf(others)).toEqual([])
  })

  test(
    'keeps the newer token when a process was stopped during its token request and goes on late',
    LONG,
    async (context) => {
      const setup = await fleetSetup(context, { processes: 4, timeoutMs: 2_000 })
      const { fleet, provider, redis } = setup
      const client = redis.connect()
      const holder = await holderOfTheLease(setup)
      holder.signal('SIGSTOP')
      const others = fleet.members.filter((member) => member !== holder)
      await until('the others have made calls', async () => others.every(({ counts }) => counts.calls > 2))
      const newer = await tokenIdsIn(client, provider.issuer)
      expect(newer).toHaveLength(1)
      holder.signal('SIGCONT')
      await until('the late process has made calls', async () => holder.counts.calls > 5)
      expect(await tokenIdsIn(client, provider.issuer)).toEqual(newer)
      await fleet.stop()
      expect(failuresOf(fleet.members)).toEqual([])
    },
  )
})

/** Starts the fleet. Returns the process that holds the lease; the token endpoint never responds to its request. */
async function holderOfTheLease({ fleet, provider }: FleetSetup): Promise<Member> {
  provider.tokenEndpointFaults.fail(1, 'hang')
  fleet.go()
  await until('a token request is under way', async () => provider.tokenRequests.length > 0)
  const name = provider.tokenRequests[0]?.headers['user-agent']
  const holder = fleet.members.find((member) => member.name === name)
  if (!holder) throw new Error(`no process has the name ${name}`)
  return holder
}
