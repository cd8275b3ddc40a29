import { setTimeout as sleep } from 'node:timers/promises'
import { createTokenManager } from '@tokenward/core'
import { createFetch } from '@tokenward/fetch'
import { startIdentityProvider } from '@tokenward/identity-provider'
import { until } from '@tokenward/local-servers'
import { type RedisClient, redisStore } from '@tokenward/store-redis'
import { expect } from 'vitest'

const PROCESSES = 4
const LIFETIME_MS = 2_000
/** A token is renewed after three quarters of its lifetime at the earliest. */
const SHORTEST_USE_MS = LIFETIME_MS * 0.75
const CALLS_A_SECOND = 8
const STORE_TIMEOUT_MS = 250
/** Tolerance for a busy machine. A wait for a lease that nobody uses would take ten seconds. */
const SLACK_MS = 4_000
/** How often a fleet may show that it shares its tokens again. On a busy machine, calls of the store may still take too long. */
const WINDOWS = 10

/** Options with which ioredis fails fast by itself. */
export const TUNED = {
  commandTimeout: 80,
  maxRetriesPerRequest: 0,
  enableOfflineQueue: false,
  connectTimeout: 1_000,
  autoResendUnfulfilledCommands: false,
}

/**
 * One token manager per process of the fleet, each with its own Redis connection. They call an API all the time, with tokens that
 * live 2 s. They all run in this process, because these tests are about Redis. Other tests use real processes.
 */
export async function startFleetUnderLoad(connect: () => RedisClient) {
  const provider = await startIdentityProvider({ tokenLifetimeSeconds: LIFETIME_MS / 1_000 })
  const { clientId, clientSecret } = provider.client('catalog.client')
  const stopping = new AbortController()
  const problems = new Map<string, number>()
  const note = (problem: string) => problems.set(problem, (problems.get(problem) ?? 0) + 1)
  let slowestMs = 0
  let slowestRequestMs = 0
  const timedFetch: typeof fetch = async (...args) => {
    const startedAt = performance.now()
    const response = await fetch(...args)
    slowestRequestMs = Math.max(slowestRequestMs, performance.now() - startedAt)
    return response
  }
  const processes = Array.from({ length: PROCESSES }, () =>
    createTokenManager({
      clients: {
        c: { tokenEndpoint: provider.tokenEndpoint, clientId, clientSecret, scope: 'catalog', fetch: timedFetch },
      },
      store: redisStore(connect()),
      storeTimeoutMs: STORE_TIMEOUT_MS,
    }),
  )
  const running = processes.map(async (tokens) => {
    const catalog = createFetch(tokens, 'c', { baseURL: provider.catalog.baseURL })
    while (!stopping.signal.aborted) {
      const startedAt = performance.now()
      try {
        await tokens.getAccessToken('c')
        slowestMs = Math.max(slowestMs, performance.now() - startedAt)
        const { status } = await catalog('list')
        if (status !== 200) note(`the API responded with ${status}`)
      } catch (error) {
        note(String(error))
      }
      await sleep(1_000 / CALLS_A_SECOND, undefined, { signal: stopping.signal }).catch(() => {})
    }
  })
  const tokensInUse = async () =>
    new Set(await Promise.all(processes.map(async (t) => (await t.getAccessToken('c')).value)))

  const shares = () => until('all processes use one token', async () => (await tokensInUse()).size === 1)

  return {
    /** Resolves when all processes use the same token. */
    shares,

    /** Runs an outage of `ms` milliseconds, checks that the fleet shares one token again, and ends the fleet. */
    async survives(ms: number, begin: () => Promise<void> | void, end: () => Promise<void> | void = () => {}) {
      const before = provider.tokenRequests.length
      const startedAt = performance.now()
      await begin()
      await sleep(ms)
      await end()
      const lifetimes = Math.ceil((performance.now() - startedAt) / SHORTEST_USE_MS) + 1
      expect(provider.tokenRequests.length - before).toBeLessThanOrEqual(PROCESSES * lifetimes)
      await shares()
      await renewsOnce()
      await stop()
    },
  }

  /** Checks that the fleet, within a few lifetimes, makes no more token requests than one process would. */
  async function renewsOnce(): Promise<void> {
    const excess: number[] = []
    for (let window = 1; window <= WINDOWS; window++) {
      const before = provider.tokenRequests.length
      const startedAt = performance.now()
      await sleep(2 * LIFETIME_MS)
      const lifetimes = Math.ceil((performance.now() - startedAt) / SHORTEST_USE_MS)
      excess.push(provider.tokenRequests.length - before - (lifetimes + 1))
      if (Number(excess.at(-1)) <= 0) return
    }
    expect.fail(`more token requests than one process would make, in each window: ${excess.join(', ')}`)
  }

  /** Ends the fleet, and checks what must hold in every test. */
  async function stop(): Promise<void> {
    stopping.abort()
    await Promise.all(running)
    await Promise.all(processes.map((each) => each.close()))
    await provider.close()
    expect(Object.fromEntries(problems)).toEqual({})
    expect(provider.catalog.requests.length).toBeGreaterThan(PROCESSES)
    expect(slowestMs).toBeLessThan(STORE_TIMEOUT_MS + slowestRequestMs + SLACK_MS)
  }
}
