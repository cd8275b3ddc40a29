import { setTimeout as sleep } from 'node:timers/promises'
import { createTokenManager, TokenwardError } from '@tokenward/core'
import { createFetch } from '@tokenward/fetch'
import { redisStore } from '@tokenward/store-redis'
import { Redis } from 'ioredis'
import type { Counts, MemberConfiguration } from './protocol'

/** A worker of the fleet: calls the catalog at a steady rate, with the token that all of them share. */
export interface FleetWorker {
  counts(): Counts
  /** Resolves when it was stopped, and nothing of it is left. */
  run(stop: AbortSignal): Promise<void>
}

export function createWorker(configuration: MemberConfiguration): FleetWorker {
  const { name, redisUrl, tokenEndpoint, clientId, clientSecret, catalogUrl, callsPerSecond } = configuration
  const failures: Record<string, number> = {}
  let calls = 0
  let tokensRequested = 0
  let tokensFromStore = 0
  let storeFailures = 0
  let slowestTokenMs = 0

  const redis = new Redis(redisUrl)
  // What fails there is told by the token manager; the client goes on trying.
  redis.on('error', () => undefined)
  const tokens = createTokenManager({
    clients: {
      'catalog.client': {
        tokenEndpoint,
        clientId,
        clientSecret,
        scope: 'catalog',
        timeoutMs: configuration.timeoutMs,
        // So that the server's log tells who of the fleet has asked.
        fetch: (input, init) => fetch(input, { ...init, headers: { ...headersOf(init), 'user-agent': name } }),
      },
    },
    store: redisStore(redis),
  })
  tokens.on('tokenRetrieved', ({ source }) => {
    if (source === 'endpoint') tokensRequested++
    else tokensFromStore++
  })
  tokens.on('storeFailed', () => storeFailures++)
  const catalog = createFetch(tokens, 'catalog.client', { baseURL: catalogUrl })

  async function call(): Promise<void> {
    calls++
    const problem = await callOnce().catch((error: unknown) =>
      error instanceof TokenwardError ? error.code : String(error),
    )
    if (problem) failures[problem] = (failures[problem] ?? 0) + 1
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
    counts: () => ({ calls, failures, tokensRequested, tokensFromStore, storeFailures, slowestTokenMs }),
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

function headersOf(init: RequestInit | undefined): Record<string, string> {
  return Object.fromEntries(new Headers(init?.headers))
}
