import { type MemoryStore, memoryStore } from '@tokenward/store-memory'
import type { AccessToken } from '../../access-token'
import type { Emit } from '../util/event-emitter'

/** How many clients' APIs are remembered, and for how long after their last rejection. */
const MOST_APIS = 1_000
const MEMORY_MS = 60_000

interface Rejections {
  readonly lastToken: AccessToken
  /** Two tokens in a row were rejected, and that was reported. */
  readonly isReported: boolean
}

/** Which API accepts which token. Reports an API that rejects one new token after the other, and when it accepts one again. */
export class ApiRejections {
  readonly #emit: Emit
  readonly #now: () => number
  /** The origins of the APIs that have accepted a token: one, as for most tokens, or several. */
  readonly #accepted = new WeakMap<AccessToken, string | Set<string>>()
  /** Created at the first rejection, because most processes never see one. */
  #rejections: MemoryStore<Rejections> | undefined

  constructor(emit: Emit, now: () => number) {
    this.#emit = emit
    this.#now = now
  }

  accept(token: AccessToken, origin: string): void {
    const origins = this.#accepted.get(token)
    if (origins === origin) return
    if (origins === undefined) this.#accepted.set(token, origin)
    else if (typeof origins === 'string') this.#accepted.set(token, new Set([origins, origin]))
    else if (origins.has(origin)) return
    else origins.add(origin)
    if (!this.#rejections?.size) return
    const key = keyOf(token.client, origin)
    if (this.#rejections.get(key)?.isReported) this.#emit('tokenAccepted', { client: token.client, origin })
    this.#rejections.delete(key)
  }

  /** Whether the API at `origin` had accepted the token. */
  wasAccepted(token: AccessToken, origin: string | undefined): boolean {
    if (origin === undefined) return false
    const origins = this.#accepted.get(token)
    return typeof origins === 'string' ? origins === origin : origins?.has(origin) === true
  }

  /** An API rejected the token. */
  note(token: AccessToken, origin: string | undefined): void {
    const { client } = token
    const key = keyOf(client, origin)
    const last = this.wasAccepted(token, origin) ? undefined : this.#rejections?.get(key)
    const isAnother = last !== undefined && last.lastToken.value !== token.value
    this.#rejections ??= memoryStore({ maxEntries: MOST_APIS, now: this.#now })
    this.#rejections.set(key, { lastToken: token, isReported: last?.isReported || isAnother }, MEMORY_MS)
    if (isAnother && !last.isReported) this.#emit('newTokenRejected', { client, origin })
  }
}

function keyOf(client: string, origin: string | undefined): string {
  return JSON.stringify([client, origin])
}
