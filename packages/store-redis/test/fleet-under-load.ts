import { setTimeout as sleep } from 'node:timers/promises'
import { createTokenManager } from '@tokenward/core'
import { createFetch } from '@tokenward/fetch'
import { startIdentityProvider } from '@tokenward/identity-provider'
import { until } from '@tokenward/local-servers'
import { type RedisClient, redisStore } from '@tokenward/store-redis'
import { expect } from 'vitest'

const PROCESSES = 4
const LIFETIME_MS = 2_000
/** A token is renewed when three quarters of its time are over, at the soonest. */
const SHORTEST_USE_MS = LIFETIME_MS * 0.75
const CALLS_A_SECOND = 8
const STORE_TIMEOUT_MS = 250
/** Room for a busy machine. A wait for a lease that nobody uses would be of ten seconds. */
const SLACK_MS = 1_500

/** What a client may be told, so that it fails fast by itself. */
export const TUNED = {
  commandTimeout: 80,
  maxRetriesPerRequest: 0,
  enableOfflineQueue: false,
  connectTimeout: 1_000,
  autoResendUnfulfilledCommands: false,
}

/**
 * As many managers as a fleet has processes, each with a Redis client of its own, which call an API all the time with
 * tokens of 2 s. They live in one process here, because what is the subject is Redis; processes have tests of their own.
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
        if (status !== 200) note(`the API answered ${status}`)
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
    /** Resolves when all use the same token. */
    shares,

    /** Lets something go wrong for a while, after which the fleet has to share again; and ends it. */
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

  /** A few lifetimes at the end of which there were no more requests than one process would make. */
  async function renewsOnce(): Promise<void> {
    const before = provider.tokenRequests.length
    const startedAt = performance.now()
    await sleep(2 * LIFETIME_MS)
    const lifetimes = Math.ceil((performance.now() - startedAt) / SHORTEST_USE_MS)
    expect(provider.tokenRequests.length - before).toBeLessThanOrEqual(lifetimes + 1)
  }

  /** Ends it, and says what must hold at any time. */
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
