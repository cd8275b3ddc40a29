import { createTokenManager } from '@tokenward/core'
import { redisStore } from '@tokenward/store-redis'
import { countedCalls } from './counted-calls'
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
  const { name, tokenEndpoint, clientId, clientSecret } = configuration
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
  const calls = countedCalls(tokens, configuration)

  return {
    ready: () => connected(redis),
    counts: calls.counts,
    async run(stop) {
      await calls.run(stop)
      await tokens.close()
      redis.disconnect()
    },
  }
}

function headersOf(init: RequestInit | undefined): Record<string, string> {
  return Object.fromEntries(new Headers(init?.headers))
}
