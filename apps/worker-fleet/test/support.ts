import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type IdentityProvider, startIdentityProvider } from '@tokenward/identity-provider'
import { startRedis, type TestRedis } from '@tokenward/local-servers'
import type { TestContext } from 'vitest'
import { type Fleet, type Member, startFleet } from '../src/fleet'

// What the processes run is what was built, as a user would run it.
const memberFile = fileURLToPath(new URL('../dist/member.js', import.meta.url))
if (!existsSync(memberFile)) throw new Error('apps/worker-fleet is not built: pnpm run build')

export interface FleetSetup {
  readonly fleet: Fleet
  readonly provider: IdentityProvider
  readonly redis: TestRedis
}

/** A fleet that is ready to go, with a Redis and an authorization server of its own; all end with the test. */
export async function fleetSetup(
  { onTestFinished }: TestContext,
  options: { processes: number; lifetimeSeconds?: number; callsPerSecond?: number; timeoutMs?: number },
): Promise<FleetSetup> {
  const { processes, lifetimeSeconds = 3_600, callsPerSecond = 10, timeoutMs } = options
  const redis = await startRedis()
  onTestFinished(() => redis.stop())
  const provider = await startIdentityProvider({ tokenLifetimeSeconds: lifetimeSeconds })
  onTestFinished(() => provider.close())
  const { clientId, clientSecret } = provider.client('catalog.client')
  const fleet = await startFleet({
    processes,
    memberFile,
    configuration: {
      redisUrl: redis.url,
      tokenEndpoint: provider.tokenEndpoint,
      clientId,
      clientSecret,
      catalogUrl: provider.catalog.baseURL,
      callsPerSecond,
      ...(timeoutMs && { timeoutMs }),
    },
  })
  onTestFinished(() => fleet.stop())
  return { fleet, provider, redis }
}

/** What calls failed with, over all these processes. */
export function failuresOf(members: readonly Member[]): Record<string, number>[] {
  return members.map(({ counts }) => counts.failures).filter((failures) => Object.keys(failures).length > 0)
}
