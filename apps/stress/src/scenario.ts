import { setTimeout as sleep } from 'node:timers/promises'
import { createTokenManager, TokenRequestError } from '@tokenward/core'
import { createFetch } from '@tokenward/fetch'
import { type IdentityProvider, startIdentityProvider } from '@tokenward/identity-provider'

/** What one scenario came to: a line of the table. */
export interface Outcome {
  readonly scenario: string
  readonly calls: number
  readonly failed: number
  readonly tokenRequests: number
  /** The longest that a call waited for its token, milliseconds. */
  readonly slowestMs: number
  /** What was asked for and did not come about; empty when all did. */
  readonly missed: readonly string[]
}

/** A worker process as far as a scenario needs one: calls through a manager to the catalog, all of them counted. */
export class Load {
  calls = 0
  slowestMs = 0
  readonly failures: { at: number; error: unknown; tookMs: number }[] = []
  readonly statuses: number[] = []
  readonly provider: IdentityProvider
  readonly tokens
  readonly #catalog

  static async start(tokenLifetimeSeconds: number): Promise<Load> {
    return new Load(await startIdentityProvider({ tokenLifetimeSeconds }))
  }

  private constructor(provider: IdentityProvider) {
    const { clientId, clientSecret } = provider.client('catalog.client')
    const { tokenEndpoint } = provider
    this.provider = provider
    this.tokens = createTokenManager({
      clients: { 'catalog.client': { tokenEndpoint, clientId, clientSecret, scope: 'catalog' } },
    })
    this.#catalog = createFetch(this.tokens, 'catalog.client', { baseURL: provider.catalog.baseURL })
  }

  /** One API call. How long the token took is told apart from how long the API took. */
  async call(): Promise<void> {
    this.calls++
    const startedAt = performance.now()
    try {
      await this.tokens.getAccessToken('catalog.client')
      this.slowestMs = Math.max(this.slowestMs, performance.now() - startedAt)
      const response = await this.#catalog('test')
      await response.text()
      this.statuses.push(response.status)
    } catch (error) {
      this.failures.push({ at: performance.now(), error, tookMs: performance.now() - startedAt })
    }
  }

  /** `perSecond` calls a second for `ms` milliseconds, whether or not the earlier ones are back. */
  async atRate(perSecond: number, ms: number): Promise<void> {
    const pending: Promise<void>[] = []
    const startedAt = performance.now()
    for (let number = 0; number < (perSecond * ms) / 1_000; number++) {
      const dueMs = startedAt + (number * 1_000) / perSecond - performance.now()
      if (dueMs > 1) await sleep(dueMs)
      pending.push(this.call())
    }
    await Promise.all(pending)
  }

  /** `callers` that call again as soon as they are back (after a breath of 5 ms), for `ms` milliseconds. */
  async looping(callers: number, ms: number): Promise<void> {
    const endsAt = performance.now() + ms
    const loop = async () => {
      while (performance.now() < endsAt) {
        await this.call()
        await sleep(5)
      }
    }
    await Promise.all(Array.from({ length: callers }, loop))
  }

  /** Forgets what was counted. */
  reset(): void {
    this.calls = 0
    this.slowestMs = 0
    this.failures.length = 0
    this.statuses.length = 0
    this.provider.reset()
  }

  get unexpectedFailures(): number {
    return this.failures.filter(({ error }) => !(error instanceof TokenRequestError)).length
  }

  get badStatuses(): number {
    return this.statuses.filter((status) => status !== 200).length
  }

  outcome(scenario: string, expected: Readonly<Record<string, boolean>>): Outcome {
    const missed = Object.entries(expected).flatMap(([what, came]) => (came ? [] : [what]))
    const { calls, slowestMs, provider } = this
    const failed = this.failures.length + this.badStatuses
    return { scenario, calls, failed, tokenRequests: provider.tokenRequests.length, slowestMs, missed }
  }

  async close(): Promise<void> {
    await this.tokens.close()
    await this.provider.close()
  }
}
