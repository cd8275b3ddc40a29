import type { TokenManager } from '@tokenward/core'
import type { IdentityProvider } from '@tokenward/identity-provider'

/** Prints what happens, line by line, and a summary at the end. */
export class ActivityLog {
  readonly #startedAt = performance.now()
  readonly #provider: IdentityProvider
  #rounds = 0
  #calls = 0
  #renewals = 0
  #rejections = 0

  constructor(provider: IdentityProvider) {
    this.#provider = provider
  }

  /** Prints the events of a token manager from now on. */
  watch<Name extends string>(tokens: TokenManager<Name>): void {
    tokens.on('tokenRetrieved', ({ client, source, durationMs, expiresAt }) => {
      const seconds = Math.round((expiresAt.getTime() - Date.now()) / 1_000)
      this.print(
        'token',
        `${client}: new token from the ${source} in ${Math.round(durationMs)} ms, valid for ${seconds} s`,
      )
    })
    tokens.on('renewalStarted', ({ client }) => {
      this.#renewals++
      this.print('token', `${client}: about 80 % of its lifetime is over, so it is renewed in the background`)
    })
    tokens.on('tokenRejected', ({ client, willRenew }) => {
      this.#rejections++
      const next = willRenew ? 'a new token is requested' : 'too soon after the last rejection to request a new token'
      this.print('token', `${client}: the API responded 401; ${next}`)
    })
    tokens.on('tokenRequestFailed', ({ client, error, willRetry }) => {
      const next = willRetry ? 'it will be sent again' : 'the current token is used while it is valid'
      this.print('token', `${client}: the token request failed (${error.error}); ${next}`)
    })
    tokens.on('storeFailed', ({ operation, reason }) => {
      this.print('store', `${operation} failed (${reason}); calls go on without the store`)
    })
  }

  print(label: string, text: string): void {
    const seconds = ((performance.now() - this.#startedAt) / 1_000).toFixed(1).padStart(5)
    console.log(`${seconds} s  ${label.padEnd(7)} ${text}`)
  }

  /** Prints the result of one round of a worker. */
  printRound(worker: string, text: string, apiCalls = 1): void {
    this.#rounds++
    this.#calls += apiCalls
    this.print(worker, text)
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
      `  renewals ahead of expiry ${this.#renewals}`,
      `  tokens rejected (401)    ${this.#rejections}`,
    ].join('\n')
  }
}
