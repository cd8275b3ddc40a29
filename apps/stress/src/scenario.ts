import { setTimeout as sleep } from 'node:timers/promises'
import { createTokenManager, TokenRequestError } from '@tokenward/core'
import { createFetch } from '@tokenward/fetch'
import { type IdentityProvider, startIdentityProvider } from '@tokenward/identity-provider'

/** The result of one scenario: a row of the table. */
export interface Outcome {
  readonly scenario: string
  readonly calls: number
  readonly failed: number
  readonly tokenRequests: number
  /** The longest time that a call waited for its token, in milliseconds. */
  readonly slowestMs: number
  /** The expectations that were not met. */
  readonly unmet: readonly string[]
}

/** The load of one scenario: makes calls to the catalog with tokens of a token manager, and counts them. */
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

  /** Makes one API call. The time for the token is measured without the time of the API. */
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

  /** Makes `perSecond` calls a second for `ms` milliseconds. A call does not wait for earlier ones. */
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

  /** For `ms` milliseconds, `callers` callers make one call after another, with 5 ms in between. */
  async byCallers(callers: number, ms: number): Promise<void> {
    const endsAt = performance.now() + ms
    const loop = async () => {
      while (performance.now() < endsAt) {
        await this.call()
        await sleep(5)
      }
    }
    await Promise.all(Array.from({ length: callers }, loop))
  }

  /** Sets all counts to 0. */
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

  /** @param expectations what has to be true, and whether it is */
  outcome(scenario: string, expectations: Readonly<Record<string, boolean>>): Outcome {
    const unmet = Object.entries(expectations).flatMap(([what, isMet]) => (isMet ? [] : [what]))
    const { calls, slowestMs, provider } = this
    const failed = this.failures.length + this.badStatuses
    return { scenario, calls, failed, tokenRequests: provider.tokenRequests.length, slowestMs, unmet }
  }

  async close(): Promise<void> {
    await this.tokens.close()
    await this.provider.close()
  }
}
