import { setTimeout as sleep } from 'node:timers/promises'
import { createTokenManager } from '@tokenward/core'
import { createFetch } from '@tokenward/fetch'
import { startIdentityProvider } from '@tokenward/identity-provider'
import { until } from '@tokenward/local-servers'
import { type RedisClient, redisStore } from '@tokenward/store-redis'
import { SkippableClock } from '@tokenward/test-support'
import { expect } from 'vitest'

const PROCESSES = 4
const CALLS_A_SECOND = 8
/** One of so many calls goes to the API. Others only get a token, because the API takes most of the processor time. */
const CALLS_PER_API_CALL = 16
/** The tokens outlive the tests, so the machine may be slow. The tests skip ahead. */
const LIFETIME_MS = 3_600_000
/** How far the tests skip: alternately to where a token is renewed ahead, and past its end, where calls wait for a new one. */
const SKIPS_MS = [0.87 * LIFETIME_MS, 1.1 * LIFETIME_MS]
const STORE_TIMEOUT_MS = 4_000
/** Of a token request. A lease lasts a little longer. */
const TIMEOUT_MS = 120_000
/** How long a call may wait for its token. A wait for a lease that nobody uses would take two minutes. */
const LONGEST_WAIT_MS = 60_000

/** Options with which ioredis fails fast by itself. */
export const TUNED = {
  commandTimeout: 2_000,
  maxRetriesPerRequest: 0,
  enableOfflineQueue: false,
  connectTimeout: 1_000,
  autoResendUnfulfilledCommands: false,
}

/**
 * One token manager per process of the fleet, each with its own Redis connection. They call an API all the time. They all run in
 * this process, because these tests are about Redis, and have one clock. Other tests use real processes.
 */
export async function startFleetUnderLoad(connect: () => RedisClient) {
  const provider = await startIdentityProvider({ tokenLifetimeSeconds: LIFETIME_MS / 1_000 })
  // So long that all processes are waiting for a token by then.
  provider.tokenEndpointFaults.delayMs = 50
  const { clientId, clientSecret } = provider.client('catalog.client')
  const clock = new SkippableClock()
  const stopping = new AbortController()
  const problems = new Map<string, number>()
  const note = (problem: string) => problems.set(problem, (problems.get(problem) ?? 0) + 1)
  let slowestMs = 0
  const processes = Array.from({ length: PROCESSES }, () => {
    const tokens = createTokenManager({
      clients: {
        c: { tokenEndpoint: provider.tokenEndpoint, clientId, clientSecret, scope: 'catalog', fetch: clock.fetch },
      },
      store: redisStore(connect()),
      storeTimeoutMs: STORE_TIMEOUT_MS,
      timeoutMs: TIMEOUT_MS,
      clock,
    })
    return { tokens, calls: 0, usedToken: '' }
  })
  const running = processes.map(async (each) => {
    const { tokens } = each
    const catalog = createFetch(tokens, 'c', { baseURL: provider.catalog.baseURL })
    for (let call = 0; !stopping.signal.aborted; call++) {
      const startedAt = performance.now()
      try {
        const { value } = await tokens.getAccessToken('c')
        slowestMs = Math.max(slowestMs, performance.now() - startedAt)
        each.usedToken = value
        each.calls++
        const status = call % CALLS_PER_API_CALL === 0 ? (await catalog('list')).status : 200
        if (status !== 200) note(`the API responded with ${status}`)
      } catch (error) {
        note(String(error))
      }
      await sleep(1_000 / CALLS_A_SECOND, undefined, { signal: stopping.signal }).catch(() => {})
    }
  })

  /** Skips ahead, waits until each process uses another token, and returns how many tokens were requested for that. */
  async function renewal(skipMs: number): Promise<number> {
    const calls = processes.map((each) => each.calls)
    // The second call from now on is one that has not begun yet. So it has the current token.
    await until('every process has made calls', async () =>
      processes.every((each, index) => each.calls >= Number(calls[index]) + 2),
    )
    const requested = provider.tokenRequests.length
    const before = processes.map(({ usedToken }) => usedToken)
    clock.skip(skipMs)
    await until('every process has renewed its token', async () =>
      processes.every(({ usedToken }, index) => usedToken !== before[index]),
    )
    return provider.tokenRequests.length - requested
  }

  /**
   * Resolves when all processes, which need a token at the same moment, make one token request. On a busy machine, a call of the
   * store may take too long, and its process then requests a token for itself. So they may try several times.
   */
  async function shares(): Promise<void> {
    await until('all processes share the token of one request', async () => {
      const requested = provider.tokenRequests.length
      clock.skip(1.1 * LIFETIME_MS)
      const values = await Promise.all(processes.map(async ({ tokens }) => (await tokens.getAccessToken('c')).value))
      return new Set(values).size === 1 && provider.tokenRequests.length === requested + 1
    })
  }

  return {
    shares,

    /** Runs an outage of `ms` milliseconds at least. Then checks that the fleet shares its tokens again, and ends the fleet. */
    async survives(ms: number, begin: () => Promise<void> | void, end: () => Promise<void> | void = () => {}) {
      await begin()
      const endsAt = performance.now() + ms
      for (let round = 0; round < SKIPS_MS.length || performance.now() < endsAt; round++) {
        // What each process would request without a Redis.
        expect(await renewal(Number(SKIPS_MS[round % SKIPS_MS.length]))).toBeLessThanOrEqual(PROCESSES)
      }
      await end()
      await shares()
      await stop()
    },
  }

  /** Ends the fleet, and checks what must hold in every test. */
  async function stop(): Promise<void> {
    stopping.abort()
    await Promise.all(running)
    await Promise.all(processes.map(({ tokens }) => tokens.close()))
    await provider.close()
    expect(Object.fromEntries(problems)).toEqual({})
    expect(provider.catalog.requests.length).toBeGreaterThanOrEqual(PROCESSES)
    expect(slowestMs).toBeLessThan(LONGEST_WAIT_MS)
  }
}
