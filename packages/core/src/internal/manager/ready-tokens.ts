import type { ReadyToken, TokenCache, TokenWindow } from '../../token-cache'
import type { GetAccessTokenOptions } from '../../token-parameters'
import type { ClientRegistry } from '../clients/client-registry'
import { cacheOptions } from './request-resolver'

/** Finds the good tokens of this process. Each use of such a token comes through here: the usual one makes no object. */
export class ReadyTokens {
  readonly #clients: ClientRegistry
  readonly #cache: TokenCache
  /** The client of the last call, if it had no options, and the window of its token: most processes use one token. */
  #lastName: string | undefined
  #lastWindow: TokenWindow | undefined
  #isClosed = false

  constructor(clients: ClientRegistry, cache: TokenCache) {
    this.#clients = clients
    this.#cache = cache
  }

  /** The token, if this process holds a good one. Never throws: the call that waits finds the error again. */
  find(name: string, options: GetAccessTokenOptions | undefined): ReadyToken | undefined {
    try {
      if (options === undefined && name === this.#lastName) {
        const last = this.#lastWindow
        const ready = last?.useAgain === undefined ? last?.use() : last.useAgain()
        if (ready !== undefined) return ready
      }
      this.#lastWindow = undefined
      const request = this.#clients.ready(name)?.requests.find(options)
      if (request === undefined || this.#isClosed) return undefined
      if (options !== undefined && (options.forceRenewal || options.signal?.aborted)) return undefined
      const ready = request.window?.use(options?.minValidityMs)
      if (ready === undefined) {
        request.window = this.#cache.window?.(request.key, cacheOptions(request, options)) ?? request.window
        return request.window?.use(options?.minValidityMs)
      }
      if (options === undefined && this.#clients.isRemembered(name)) {
        this.#lastName = name
        this.#lastWindow = request.window
      }
      return ready
    } catch {
      return undefined
    }
  }

  /** A client was removed, or is another one now. */
  forgetLast(): void {
    this.#lastWindow = undefined
  }

  close(): void {
    this.#isClosed = true
    this.#lastWindow = undefined
  }
}
