import type { OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common'
import type { TokenManager } from '@tokenward/core'

/** What the module does when the application starts and ends. */
export class Lifecycle implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #tokens: TokenManager
  readonly #warmUp: boolean | readonly string[]
  readonly #isOwn: boolean

  /** @param isOwn whether the module has made the token manager, so that it closes it */
  constructor(tokens: TokenManager, warmUp: boolean | readonly string[], isOwn: boolean) {
    this.#tokens = tokens
    this.#warmUp = warmUp
    this.#isOwn = isOwn
  }

  async onApplicationBootstrap(): Promise<void> {
    if (this.#warmUp !== false) await this.#tokens.warmUp(this.#warmUp === true ? undefined : this.#warmUp)
  }

  /** The last of the hooks: other providers may call APIs in theirs. */
  async onApplicationShutdown(): Promise<void> {
    if (this.#isOwn) await this.#tokens.close()
  }
}
