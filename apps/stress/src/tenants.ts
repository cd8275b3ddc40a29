import { createTokenManager } from '@tokenward/core'
import type { Outcome } from './scenario'

const TENANTS = 100_000
const KEPT = 1_000

/** 100,000 tenants use one manager that keeps 1,000 tokens. A stand-in replaces the token endpoint, which is not under test. */
export async function manyTenants(): Promise<Outcome> {
  let tokenRequests = 0
  const tokens = createTokenManager({
    clients: { tenants: { tokenEndpoint: 'https://as.example/token', clientId: 'id', clientSecret: 'secret' } },
    maxEntries: KEPT,
    requester: {
      async request(_client, { parameters }) {
        tokenRequests++
        // As long as a real token, so that tokens that are kept show in the memory.
        const access_token = `${parameters.tenant}.${'x'.repeat(1_000)}`
        return { access_token, token_type: 'Bearer', expires_in: 3_600 }
      },
    },
  })
  let mixedUp = 0
  let slowestMs = 0
  const usedMiB = () => {
    globalThis.gc?.()
    return process.memoryUsage().heapUsed / 2 ** 20
  }
  const before = usedMiB()
  for (let first = 0; first < TENANTS; first += KEPT) {
    const batch = Array.from({ length: KEPT }, async (_, number) => {
      const tenant = `tenant-${first + number}`
      const startedAt = performance.now()
      const token = await tokens.getAccessToken('tenants', { parameters: { tenant } })
      slowestMs = Math.max(slowestMs, performance.now() - startedAt)
      if (!token.value.startsWith(`${tenant}.`)) mixedUp++
    })
    await Promise.all(batch)
  }
  const grownMiB = usedMiB() - before
  await tokens.close()
  return {
    scenario: `100,000 tenants, 1,000 kept: memory grew by ${grownMiB.toFixed(1)} MiB`,
    calls: TENANTS,
    failed: mixedUp,
    tokenRequests,
    slowestMs,
    unmet: [
      ...(mixedUp > 0 ? ['no tenant gets the token of another'] : []),
      // All 100,000 tokens would take more than 100 MiB.
      ...(grownMiB > 20 ? ['memory stays bounded'] : []),
    ],
  }
}
