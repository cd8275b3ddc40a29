import { redisProgram, until } from '@tokenward/local-servers'
import { describe, expect, test } from 'vitest'
import { failuresOf, fleetAlone, tokenIdsIn } from './support'

/** How late the token endpoint responds to the first request. The process that sent it is stopped by then. */
const DELAY_MS = 1_500

describe.skipIf(!(await redisProgram()))('a fleet', () => {
  test('keeps the newer token when a stopped process receives an older one late', async (context) => {
    const { fleet, provider, client, endLeases } = await fleetAlone(context, { processes: 4 })
    const [holder, ...others] = fleet.members
    provider.tokenEndpointFaults.delayMs = DELAY_MS
    holder?.go()
    await until('the holder has requested a token', async () => provider.tokenRequests.length > 0)
    holder?.signal('SIGSTOP')
    provider.tokenEndpointFaults.delayMs = 0
    await endLeases()
    for (const other of others) other.go()
    await until('the others have made calls', async () => others.every(({ counts }) => counts.okCalls > 2))
    const newer = await tokenIdsIn(client, provider.issuer)
    expect(newer).toHaveLength(1)

    holder?.signal('SIGCONT')
    await until('the holder has made calls', async () => Number(holder?.counts.okCalls) > 2)
    const before = provider.catalog.requests.length
    await until('the fleet has made 20 more calls', async () => provider.catalog.requests.length > before + 20)
    await fleet.stop()
    expect(await tokenIdsIn(client, provider.issuer)).toEqual(newer)
    // Every process uses the newer token, also the late one.
    const used = new Set(provider.catalog.requests.slice(before).map(({ tokenId }) => tokenId))
    expect([...used]).toEqual(newer)
    expect(failuresOf(fleet.members)).toEqual([])
    expect(provider.catalog.requests.filter(({ status }) => status !== 200)).toEqual([])
  })
})
