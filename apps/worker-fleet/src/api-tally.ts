import type { ProtectedApi } from '@tokenward/identity-provider'

/** Counts the requests that reached the API. It does not keep them, so that a fleet can run for days. */
export class ApiTally {
  readonly #api: ProtectedApi
  readonly #tokens = new Set<string>()
  #requests = 0
  #rejected = 0

  constructor(api: ProtectedApi) {
    this.#api = api
  }

  /** Counts the requests since the last call, and removes them from the API's records. */
  update(): void {
    for (const { status, tokenId } of this.#api.requests.splice(0)) {
      this.#requests++
      if (status === 401) this.#rejected++
      if (tokenId !== undefined) this.#tokens.add(tokenId)
    }
  }

  get requests(): number {
    return this.#requests
  }

  /** The number of requests that the API rejected with 401, for example because the token had expired. */
  get rejected(): number {
    return this.#rejected
  }

  /** The number of different tokens that were used. */
  get tokens(): number {
    return this.#tokens.size
  }
}
