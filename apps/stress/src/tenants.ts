import { createTokenManager } from '@tokenward/core'
import type { Outcome } from './scenario'

const TENANTS = 100_000
const KEPT = 1_000

/** 100,000 tenants through one manager that keeps 1,000 tokens. The requester is a stand-in: its server is no subject. */
export async function manyTenants(): Promise<Outcome> {
  let tokenRequests = 0
  const tokens = createTokenManager({
    clients: { tenants: { tokenEndpoint: 'https://as.example/token', clientId: 'id', clientSecret: 'secret' } },
    maxEntries: KEPT,
    requester: {
      async request(_client, { parameters }) {
        tokenRequests++
        // As long as a real one, so that what is kept shows in the memory.
        const access_token = `${parameters.tenant}.${'x'.repeat(1_000)}`
        return { access_token, token_type: 'Bearer', expires_in: 3_600 }
      },
    },
  })
  let crossed = 0
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
      if (!token.value.startsWith(`${tenant}.`)) crossed++
    })
    await Promise.all(batch)
  }
  const grownMiB = usedMiB() - before
  await tokens.close()
  return {
    scenario: `100,000 tenants, 1,000 kept: memory grew by ${grownMiB.toFixed(1)} MiB`,
    calls: TENANTS,
    failed: crossed,
    tokenRequests,
    slowestMs,
    missed: [
      ...(crossed > 0 ? ['no token crosses tenants'] : []),
      // 100,000 such tokens would be well over 100 MiB.
      ...(grownMiB > 20 ? ['memory stays bounded'] : []),
    ],
  }
}
