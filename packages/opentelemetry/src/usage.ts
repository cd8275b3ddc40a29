import type { RetrievalReason } from '@tokenward/core'

/** Reasons that need a new token in any case. The others replace a token before its time. */
const PLANNED: ReadonlySet<RetrievalReason> = new Set<RetrievalReason>(['first', 'ahead', 'expired'])

interface Usage {
  requests: number
  lifetimes: number
}

/** Counts token requests and lifetimes by client: a lifetime is a token that this process uses until it is time for the next one. */
export class UsageByClient {
  readonly #usages = new Map<string, Usage>()

  countRequest(client: string): void {
    this.#of(client).requests++
  }

  countRetrieval(client: string, reason: RetrievalReason): void {
    if (PLANNED.has(reason)) this.#of(client).lifetimes++
  }

  *requestsPerLifetime(): Iterable<[client: string, ratio: number]> {
    for (const [client, { requests, lifetimes }] of this.#usages) {
      if (lifetimes > 0) yield [client, requests / lifetimes]
    }
  }

  #of(client: string): Usage {
    const usage = this.#usages.get(client) ?? { requests: 0, lifetimes: 0 }
    this.#usages.set(client, usage)
    return usage
  }
}
