import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type IdentityProvider, startIdentityProvider } from '@tokenward/identity-provider'
import { startRedis, startRedisProcess } from '@tokenward/local-servers'
import { Redis } from 'ioredis'
import type { TestContext } from 'vitest'
import { type Fleet, type Member, startFleet } from '../src/fleet'
import type { MemberConfiguration } from '../src/protocol'

// The processes run the built files, as a user would.
const memberFile = fileURLToPath(new URL('../dist/member.js', import.meta.url))
if (!existsSync(memberFile)) throw new Error('apps/worker-fleet is not built: pnpm run build')

/** A fleet whose processes are ready, and its authorization server. */
export interface FleetAndProvider {
  readonly fleet: Fleet
  readonly provider: IdentityProvider
}

interface FleetSetupOptions extends Partial<Omit<MemberConfiguration, 'name'>> {
  readonly processes: number
  readonly lifetimeSeconds?: number
}

/** Starts a Redis and a fleet. Both end with the test. */
export async function fleetSetup(context: TestContext, options: FleetSetupOptions): Promise<FleetAndProvider> {
  const redis = await startRedis()
  context.onTestFinished(() => redis.stop())
  return fleetOver(context, { redisUrl: redis.url, ...options })
}

/** A fleet over a Redis that nobody else uses. */
export interface FleetAlone extends FleetAndProvider {
  /** A connection to the Redis. */
  readonly client: Redis
  /** How long the leases last from now on, in milliseconds. */
  leasesLeftMs(): Promise<number[]>
  /** Ends every lease now, so that a test does not have to wait for the end of its time. */
  endLeases(): Promise<void>
}

/** Starts a Redis, whatever `REDIS_URL` says, and a fleet over it. Both end with the test. */
export async function fleetAlone(context: TestContext, options: FleetSetupOptions): Promise<FleetAlone> {
  const { port, stop } = await startRedisProcess()
  context.onTestFinished(stop)
  const client = new Redis(port, '127.0.0.1')
  context.onTestFinished(() => client.disconnect())
  const leases = () => client.keys('tokenward:{*}:lease')
  return {
    ...(await fleetOver(context, { redisUrl: `redis://127.0.0.1:${port}`, ...options })),
    client,
    leasesLeftMs: async () => Promise.all((await leases()).map((lease) => client.pttl(lease))),
    async endLeases() {
      for (const lease of await leases()) await client.del(lease)
    },
  }
}

/** Starts a fleet over a Redis that runs already. The fleet ends with the test. */
export async function fleetOver(
  { onTestFinished }: TestContext,
  { processes, lifetimeSeconds = 3_600, ...configuration }: FleetSetupOptions,
): Promise<FleetAndProvider> {
  const provider = await startIdentityProvider({ tokenLifetimeSeconds: lifetimeSeconds })
  onTestFinished(() => provider.close())
  const { clientId, clientSecret } = provider.client('catalog.client')
  const { tokenEndpoint, catalog } = provider
  const defaults = {
    tokenEndpoint,
    clientId,
    clientSecret,
    catalogUrl: catalog.baseURL,
    callsPerSecond: 10,
    // Long enough for a slow machine.
    storeTimeoutMs: 5_000,
  }
  const fleet = await startFleet({ processes, memberFile, configuration: { ...defaults, ...configuration } })
  onTestFinished(() => fleet.stop())
  return { fleet, provider }
}

/** The failures of each process that had any. */
export function failuresOf(members: readonly Member[]): Record<string, number>[] {
  return members.map(({ counts }) => counts.failures).filter((failures) => Object.keys(failures).length > 0)
}

/** The ids of the tokens in Redis that this issuer issued. Other tests may use the same Redis. */
export async function tokenIdsIn(client: Redis, issuer: string): Promise<string[]> {
  const keys = await client.keys('tokenward:{*}')
  const entries = keys.length > 0 ? await client.mget(keys) : []
  return entries.flatMap((entry) => {
    const [, payload] = /"eyJ[\w-]+\.([\w-]+)\.[\w-]+"/.exec(entry ?? '') ?? []
    if (!payload) return []
    const { iss, jti } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { iss: string; jti: string }
    return iss === issuer ? [jti] : []
  })
}
