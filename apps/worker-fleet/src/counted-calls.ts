import { setTimeout as sleep } from 'node:timers/promises'
import { type AccessToken, type TokenManager, TokenRequestError } from '@tokenward/core'
import { createFetch } from '@tokenward/fetch'
import type { Counts, MemberConfiguration } from './protocol'

/** The calls of one worker, and what came of them. */
export interface CountedCalls {
  counts(): Counts
  /** Calls the catalog at a steady rate until `stop` aborts. */
  run(stop: AbortSignal): Promise<void>
}

/** Is told about each call. */
export interface CallListener {
  /** A call uses this token. */
  used(token: AccessToken): void
  failed(reason: string): void
}

export function countedCalls(
  tokens: TokenManager<'catalog.client'>,
  { catalogUrl, callsPerSecond }: Pick<MemberConfiguration, 'catalogUrl' | 'callsPerSecond'>,
  listener?: CallListener,
): CountedCalls {
  const failures: Record<string, number> = {}
  const storeFailures: Record<string, number> = {}
  let calls = 0
  let okCalls = 0
  let tokensRequested = 0
  let tokensFromStore = 0
  let slowestTokenMs = 0

  tokens.on('tokenRetrieved', ({ source }) => {
    if (source === 'endpoint') tokensRequested++
    else tokensFromStore++
  })
  tokens.on('storeFailed', ({ operation, reason }) => count(storeFailures, `${operation} ${reason}`))
  const catalog = createFetch(tokens, 'catalog.client', { baseURL: catalogUrl })

  async function call(): Promise<void> {
    calls++
    const problem = await callOnce().catch(failureOf)
    if (problem === undefined) {
      okCalls++
      return
    }
    count(failures, problem)
    listener?.failed(problem)
  }

  async function callOnce(): Promise<string | undefined> {
    const startedAt = performance.now()
    const token = await tokens.getAccessToken('catalog.client')
    slowestTokenMs = Math.max(slowestTokenMs, performance.now() - startedAt)
    listener?.used(token)
    const response = await catalog('list')
    await response.body?.cancel()
    return response.status === 200 ? undefined : String(response.status)
  }

  return {
    counts: () => ({ calls, okCalls, failures, tokensRequested, tokensFromStore, storeFailures, slowestTokenMs }),
    async run(stop) {
      while (!stop.aborted) {
        await call()
        await sleep(1_000 / callsPerSecond, undefined, { signal: stop }).catch(() => {})
      }
    },
  }
}

function count(counts: Record<string, number>, what: string): void {
  counts[what] = (counts[what] ?? 0) + 1
}

/** The class and code of an error. Its message may contain details that a table should not show. */
export function failureOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error
  if (error instanceof TokenRequestError) return `${error.name} ${error.error}`
  const { code } = (error.cause instanceof Error ? error.cause : error) as { code?: unknown }
  return code === undefined ? error.name : `${error.name} ${String(code)}`
}
