import type { TokenManager } from '@tokenward/core'
import type { IdentityProvider } from '@tokenward/identity-provider'

/** Prints what happens, line by line, and at the end what it came to. */
export class Story {
  readonly #startedAt = performance.now()
  readonly #provider: IdentityProvider
  #rounds = 0
  #calls = 0
  #renewalsAhead = 0
  #rejections = 0

  constructor(provider: IdentityProvider) {
    this.#provider = provider
  }

  /** Tells what this manager does from now on. */
  watch<Name extends string>(tokens: TokenManager<Name>): TokenManager<Name> {
    tokens.on('tokenRetrieved', ({ client, durationMs, expiresAt }) => {
      const seconds = Math.round((expiresAt.getTime() - Date.now()) / 1_000)
      this.tell('token', `${client}: a new token, good for ${seconds} s, had in ${Math.round(durationMs)} ms`)
    })
    tokens.on('renewalStarted', ({ client }) => {
      this.#renewalsAhead++
      this.tell('token', `${client}: 80 % of its time is over; it is renewed while the calls go on with it`)
    })
    tokens.on('tokenRejected', ({ client }) => {
      this.#rejections++
      this.tell('token', `${client}: the API answered 401; the token is replaced`)
    })
    tokens.on('tokenRequestFailed', ({ client, error, willRetry }) => {
      const next = willRetry ? 'it is tried again' : 'a token that is still good goes on being used'
      this.tell('token', `${client}: the token request failed (${error.error}); ${next}`)
    })
    return tokens
  }

  tell(who: string, text: string): void {
    const seconds = ((performance.now() - this.#startedAt) / 1_000).toFixed(1).padStart(5)
    console.log(`${seconds} s  ${who.padEnd(7)} ${text}`)
  }

  /** A worker did one round of its work. */
  round(worker: string, text: string, apiCalls = 1): void {
    this.#rounds++
    this.#calls += apiCalls
    this.tell(worker, text)
  }

  summary(): string {
    const { catalog, invoice, tokenRequests } = this.#provider
    const requests = [...catalog.requests, ...invoice.requests]
    const statuses = new Map<number, number>()
    for (const { status } of requests) statuses.set(status, (statuses.get(status) ?? 0) + 1)
    const byStatus = [...statuses].sort(([a], [b]) => a - b).map(([status, times]) => `${times} × ${status}`)
    return [
      '',
      'Summary',
      `  rounds of work           ${this.#rounds}`,
      `  API requests             ${requests.length} (${byStatus.join(', ')})`,
      `  sent again after a 401   ${Math.max(0, requests.length - this.#calls)}`,
      `  token requests           ${tokenRequests.length}`,
      `  renewals ahead of expiry ${this.#renewalsAhead}`,
      `  rejected tokens          ${this.#rejections}`,
    ].join('\n')
  }
}
