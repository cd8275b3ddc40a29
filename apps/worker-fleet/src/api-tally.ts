import type { ProtectedApi } from '@tokenward/identity-provider'

/** What reached the API, counted. A fleet that runs for days must not keep every request. */
export class ApiTally {
  readonly #api: ProtectedApi
  readonly #tokens = new Set<string>()
  #requests = 0
  #rejected = 0

  constructor(api: ProtectedApi) {
    this.#api = api
  }

  /** Counts what came since the last time, and forgets it there. */
  take(): void {
    for (const { status, tokenId } of this.#api.requests.splice(0)) {
      this.#requests++
      if (status === 401) this.#rejected++
      if (tokenId !== undefined) this.#tokens.add(tokenId)
    }
  }

  get requests(): number {
    return this.#requests
  }

  /** How many carried a token that was expired, or not taken for another reason. */
  get rejected(): number {
    return this.#rejected
  }

  /** How many different tokens were used. */
  get tokens(): number {
    return this.#tokens.size
  }
}
