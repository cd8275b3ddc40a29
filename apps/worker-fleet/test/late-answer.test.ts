import { hasRedis, until } from '@tokenward/local-servers'
import { describe, expect, test } from 'vitest'
import { failuresOf, fleetSetup, tokenIdsIn } from './support'

/** How long the token endpoint keeps the first answer: it comes when the one who asked stands still. */
const LATE_MS = 500

describe.skipIf(!(await hasRedis()))('a fleet', () => {
  test('keeps the newer token when an older one was answered and comes late', { timeout: 60_000 }, async (context) => {
    const { fleet, provider, redis } = await fleetSetup(context, { processes: 4, timeoutMs: 2_000 })
    const client = redis.connect()
    const [holder, ...others] = fleet.members
    provider.tokenEndpointFaults.delayMs = LATE_MS
    holder?.go()
    await until('it asks for a token', async () => provider.tokenRequests.length > 0)
    holder?.signal('SIGSTOP')
    provider.tokenEndpointFaults.delayMs = 0
    for (const other of others) other.go()
    await until('the others have made calls', async () => others.every(({ counts }) => counts.okCalls > 2))
    const newer = await tokenIdsIn(client, provider.issuer)
    expect(newer).toHaveLength(1)

    holder?.signal('SIGCONT')
    await until('the late one has made calls', async () => Number(holder?.counts.okCalls) > 2)
    const seen = provider.catalog.requests.length
    await until('all go on', async () => provider.catalog.requests.length > seen + 20)
    await fleet.stop()
    expect(await tokenIdsIn(client, provider.issuer)).toEqual(newer)
    // All of them use it, the late one too.
    const used = new Set(provider.catalog.requests.slice(seen).map(({ tokenId }) => tokenId))
    expect([...used]).toEqual(newer)
    expect(failuresOf(fleet.members)).toEqual([])
    expect(provider.catalog.requests.filter(({ status }) => status !== 200)).toEqual([])
  })
})
