import { hasRedis, redisProgram, until } from '@tokenward/local-servers'
import { describe, expect, test } from 'vitest'
import type { Member } from '../src/fleet'
import { type FleetAndProvider, failuresOf, fleetAlone, fleetSetup, tokenIdsIn } from './support'

// Real processes share a real Redis.

const LIFETIME_MS = 3_600_000
const LIFETIMES = 20
/** The time limit of a token request. One process waits until it is over for a response that never comes. */
const TIMEOUT_MS = 10_000
/** The share of its lifetime after which a token is renewed, at the earliest and at the latest. */
const RENEWAL_SHARE = { earliest: 0.75, latest: 0.85 }

describe.skipIf(!(await hasRedis()))('a fleet', () => {
  test.for([4, 32])(
    'of %i processes that start at once without a token makes one token request',
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
})

// Most of the time, these fleets wait: for a response, or for a token to expire.
describe.skipIf(!(await redisProgram())).concurrent('a fleet', () => {
  test('makes one token request per lifetime, over twenty lifetimes', async (context) => {
    const { fleet, provider } = await fleetSetup(context, { processes: 8, callsPerSecond: 20 })
    fleet.go()
    /** Waits until all processes use one token that none of them has used before. */
    const newToken = async (usedBefore: ReadonlySet<string>) => {
      let inUse = new Set<string | undefined>()
      await until('all processes use one new token', async () => {
        inUse = new Set(fleet.members.map(({ token }) => token?.id))
        return inUse.size === 1 && ![...inUse].some((id) => id === undefined || usedBefore.has(id))
      })
      return String([...inUse][0])
    }
    const used = new Set([await newToken(new Set())])
    for (let renewals = 1; renewals <= LIFETIMES; renewals++) {
      // All processes have to renew the token now. It has not expired, so no call waits.
      for (const member of fleet.members) member.skip(LIFETIME_MS * (RENEWAL_SHARE.latest + 0.01))
      used.add(await newToken(used))
      expect(provider.tokenRequests).toHaveLength(1 + renewals)
    }
    await fleet.stop()
    expect(provider.tokenRequests).toHaveLength(1 + LIFETIMES)
    expect(failuresOf(fleet.members)).toEqual([])
    expect(provider.catalog.requests.filter(({ status }) => status !== 200)).toEqual([])
  })

  test('renews ahead of the expiry by the real clock, and not once for each process', async (context) => {
    const lifetimeSeconds = 4
    const { fleet, provider } = await fleetSetup(context, { processes: 8, lifetimeSeconds, callsPerSecond: 20 })
    const startedAt = performance.now()
    fleet.go()
    await until('the token was renewed twice', async () => provider.tokenRequests.length >= 3)
    await fleet.stop()
    const shortestUses = (performance.now() - startedAt) / (lifetimeSeconds * 1_000 * RENEWAL_SHARE.earliest)
    // On a busy machine, some tokens end on their way to the API, and are replaced early. Alone, each process would make as many.
    expect(provider.tokenRequests.length - 1).toBeLessThanOrEqual(2 * shortestUses)
    expect(failuresOf(fleet.members)).toEqual([])
  })

  test('goes on when the process that renews is killed during its token request', async (context) => {
    const setup = await fleetAlone(context, { processes: 4, timeoutMs: TIMEOUT_MS })
    const { fleet, provider } = setup
    const holder = await holderOfTheLease(setup)
    holder.signal('SIGKILL')
    await holder.ended
    const [leftMs, ...more] = await setup.leasesLeftMs()
    expect(more).toEqual([])
    // It ends by itself, soon after the time limit of the request.
    expect(leftMs).toSatisfy((ms: number) => ms > 0 && ms <= TIMEOUT_MS + 1_000)
    await setup.endLeases()
    const others = fleet.members.filter((member) => member !== holder)
    await until('the others have made calls', async () => others.every(({ counts }) => counts.calls > 2))
    await fleet.stop()
    expect(provider.tokenRequests).toHaveLength(2)
    expect(failuresOf(others)).toEqual([])
  })

  test('keeps the newer token when a process was stopped during its token request and goes on late', async (context) => {
    const setup = await fleetAlone(context, { processes: 4, timeoutMs: TIMEOUT_MS })
    const { fleet, provider, client } = setup
    const holder = await holderOfTheLease(setup)
    holder.signal('SIGSTOP')
    await setup.endLeases()
    const others = fleet.members.filter((member) => member !== holder)
    await until('the others have made calls', async () => others.every(({ counts }) => counts.calls > 2))
    const newer = await tokenIdsIn(client, provider.issuer)
    expect(newer).toHaveLength(1)
    holder.signal('SIGCONT')
    await until('the late process has made calls', async () => holder.counts.calls > 5)
    expect(await tokenIdsIn(client, provider.issuer)).toEqual(newer)
    await fleet.stop()
    expect(failuresOf(fleet.members)).toEqual([])
  })
})

/** Starts the fleet. Returns the process that holds the lease; the token endpoint never responds to its request. */
async function holderOfTheLease({ fleet, provider }: FleetAndProvider): Promise<Member> {
  provider.tokenEndpointFaults.fail(1, 'hang')
  fleet.go()
  await until('a token request is under way', async () => provider.tokenRequests.length > 0)
  const name = provider.tokenRequests[0]?.headers['user-agent']
  const holder = fleet.members.find((member) => member.name === name)
  if (!holder) throw new Error(`no process has the name ${name}`)
  return holder
}
