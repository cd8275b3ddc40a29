import { setTimeout as sleep } from 'node:timers/promises'
import { createTokenManager, TokenRequestError } from '@tokenward/core'
import { createFetch } from '@tokenward/fetch'
import { redisStore } from '@tokenward/store-redis'
import type { Counts, MemberConfiguration } from './protocol'
import { connected, redisClient } from './redis-client'

/** A worker of the fleet. It calls the catalog at a steady rate, with the token that all processes share. */
export interface FleetWorker {
  counts(): Counts
  /** Resolves when it is connected to Redis. It has not requested a token yet. */
  ready(): Promise<void>
  /** Works until `stop` aborts. Then it closes the token manager and the connection to Redis. */
  run(stop: AbortSignal): Promise<void>
}

export function createWorker(configuration: MemberConfiguration): FleetWorker {
  const { name, tokenEndpoint, clientId, clientSecret, catalogUrl, callsPerSecond } = configuration
  const failures: Record<string, number> = {}
  const storeFailures: Record<string, number> = {}
  let calls = 0
  let okCalls = 0
  let tokensRequested = 0
  let tokensFromStore = 0
  let slowestTokenMs = 0

  const redis = redisClient(configuration)
  const tokens = createTokenManager({
    clients: {
      'catalog.client': {
        tokenEndpoint,
        clientId,
        clientSecret,
        scope: 'catalog',
        timeoutMs: configuration.timeoutMs,
        // The server records the `User-Agent`, so that tests know which process requested a token.
        fetch: (input, init) => fetch(input, { ...init, headers: { ...headersOf(init), 'user-agent': name } }),
      },
    },
    store: redisStore(redis),
    storeTimeoutMs: configuration.storeTimeoutMs,
  })
  tokens.on('tokenRetrieved', ({ source }) => {
    if (source === 'endpoint') tokensRequested++
    else tokensFromStore++
  })
  tokens.on('storeFailed', ({ operation, reason }) => count(storeFailures, `${operation} ${reason}`))
  const catalog = createFetch(tokens, 'catalog.client', { baseURL: catalogUrl })

  async function call(): Promise<void> {
    calls++
    const problem = await callOnce().catch(failureOf)
    if (problem === undefined) okCalls++
    else count(failures, problem)
  }

  async function callOnce(): Promise<string | undefined> {
    const startedAt = performance.now()
    await tokens.getAccessToken('catalog.client')
    slowestTokenMs = Math.max(slowestTokenMs, performance.now() - startedAt)
    const response = await catalog('list')
    await response.body?.cancel()
    return response.status === 200 ? undefined : String(response.status)
  }

  return {
    ready: () => connected(redis),
    counts: () => ({ calls, okCalls, failures, tokensRequested, tokensFromStore, storeFailures, slowestTokenMs }),
    async run(stop) {
      while (!stop.aborted) {
        await call()
        await sleep(1_000 / callsPerSecond, undefined, { signal: stop }).catch(() => {})
      }
      await tokens.close()
      redis.disconnect()
    },
  }
}

function count(counts: Record<string, number>, what: string): void {
  counts[what] = (counts[what] ?? 0) + 1
}

/** The class and code of an error. Its message may contain details that a table should not show. */
function failureOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error
  if (error instanceof TokenRequestError) return `${error.name} ${error.error}`
  const { code } = (error.cause instanceof Error ? error.cause : error) as { code?: unknown }
  return code === undefined ? error.name : `${error.name} ${String(code)}`
}

function headersOf(init: RequestInit | undefined): Record<string, string> {
  return Object.fromEntries(new Headers(init?.headers))
}
