import { createHash } from 'node:crypto'
import { type AccessToken, createTokenManager, type TokenRetrieved } from '@tokenward/core'
import { encryptedStore } from '@tokenward/store-encrypted'
import { redisStore } from '@tokenward/store-redis'
import { ActivityTracker } from './activity'
import { countedCalls } from './counted-calls'
import { now } from './machine-clock'
import type { CallReport, Counts, MemberConfiguration, MemberEvent, TokenInUse } from './protocol'
import { RecordedCalls } from './recorded-calls'
import { connected, redisClient } from './redis-client'
import { reportEvents } from './report-events'
import { SkippableClock } from './skippable-clock'
import { watchedStore } from './watched-store'

/** A worker of the fleet. It calls the catalog at a steady rate, with the token that all processes share. */
export interface FleetWorker {
  counts(): Counts
  /** The recorded calls since the last time. Undefined when it has no targets. */
  report(): CallReport | undefined
  /** The token that its last call used. */
  token(): TokenInUse | undefined
  /** Resolves when it is connected to Redis. It has not requested a token yet. */
  ready(): Promise<void>
  /** Uses this secret for its token requests from now on. */
  useSecret(clientSecret: string): void
  /** Moves its clock ahead. */
  skip(ms: number): void
  /** Works until `stop` aborts. Then it closes the token manager and the connection to Redis. */
  run(stop: AbortSignal): Promise<void>
}

/** @param report is called for what happens in the worker, as it happens */
export function createWorker(configuration: MemberConfiguration, report: (event: MemberEvent) => void): FleetWorker {
  const { name, tokenEndpoint, clientId } = configuration
  let secret = configuration.clientSecret
  let retrieved: Pick<TokenRetrieved, 'source' | 'reason'> = { source: 'endpoint', reason: 'first' }
  let current: { readonly token: AccessToken; readonly id: string } | undefined

  const activity = new ActivityTracker((activity) => report({ type: 'activity', activity }))
  const clock = new SkippableClock(configuration.clockAheadMs)
  const redis = redisClient(configuration)
  const watched = watchedStore(redisStore(redis), {
    taken(key) {
      activity.isWaiting = false
      report({ type: 'leaseTaken', key })
    },
    refused() {
      activity.isWaiting = true
    },
    resolved() {
      activity.isWaiting = false
    },
    ended: (how) => report({ type: 'leaseEnded', how }),
  })
  const { encryptionKey, targets = [] } = configuration
  const store = encryptionKey ? encryptedStore(watched, { keys: [Buffer.from(encryptionKey, 'base64')] }) : watched

  async function requestToken(input: string | URL | Request, init: RequestInit | undefined): Promise<Response> {
    const startedAt = performance.now()
    let status: number | undefined
    activity.requestStarted()
    try {
      // The server records these headers, so that tests know which process requested a token, and when.
      const headers = { ...headersOf(init), 'user-agent': name, 'x-sent-at': String(now()) }
      const response = await fetch(input, { ...init, headers })
      status = response.status
      return clock.aheadMs > 0 ? withDateAhead(response, clock.aheadMs) : response
    } finally {
      activity.requestEnded()
      report({ type: 'tokenResponse', status, durationMs: performance.now() - startedAt })
    }
  }

  const common = { tokenEndpoint, timeoutMs: configuration.timeoutMs, fetch: requestToken }
  const targetClients = targets.map(({ client, clientId, clientSecret, scope }) => {
    return [client, { ...common, clientId, clientSecret, scope }] as const
  })
  const tokens = createTokenManager({
    clients: {
      ...Object.fromEntries(targetClients),
      'catalog.client': { ...common, clientId, clientSecret: async () => secret, scope: 'catalog' },
    },
    store,
    storeTimeoutMs: configuration.storeTimeoutMs,
    clock,
  })
  tokens.on('tokenRetrieved', ({ source, reason }) => {
    retrieved = { source, reason }
    activity.isWaiting = false
  })
  reportEvents(tokens, report)
  const calls = countedCalls(tokens, configuration, {
    used(token) {
      if (current?.token.value === token.value) return
      current = { token, id: createHash('sha256').update(token.value).digest('hex').slice(0, 12) }
      report({ type: 'tokenChanged', tokenId: current.id, ...retrieved })
    },
    failed: (reason) => report({ type: 'callFailed', reason }),
  })
  const recorded = targets.length > 0 ? new RecordedCalls(tokens, configuration, targets) : undefined

  return {
    ready: () => connected(redis),
    counts: calls.counts,
    report: () => recorded?.report(),
    token: () => current && { id: current.id, remainingMs: remainingMs(current.token, clock) },
    useSecret(clientSecret) {
      secret = clientSecret
    },
    skip: (ms) => clock.skip(ms),
    async run(stop) {
      await (recorded ?? calls).run(stop)
      await tokens.close()
      redis.disconnect()
    },
  }
}

function remainingMs({ expiresAt }: AccessToken, clock: SkippableClock): number {
  return expiresAt ? Math.max(0, expiresAt.getTime() - clock.now()) : 0
}

/**
 * The response of a server whose clock is as far ahead as the worker's. Otherwise the token manager would find that the worker's clock
 * is wrong, and correct it.
 */
function withDateAhead(response: Response, aheadMs: number): Response {
  const headers = new Headers(response.headers)
  headers.set('date', new Date(Date.now() + aheadMs).toUTCString())
  return new Response(response.body, { status: response.status, headers })
}

function headersOf(init: RequestInit | undefined): Record<string, string> {
  return Object.fromEntries(new Headers(init?.headers))
}
