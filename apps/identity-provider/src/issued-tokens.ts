import type { RegisteredClient } from './clients'

/** The tokens that were issued, and when each ends. A JWT says that by the second only, which is much of a short life. */
export class IssuedTokens {
  readonly #endsAt = new Map<string, number>()

  add(tokenId: string, lifetime: number): void {
    this.#endsAt.set(tokenId, performance.now() + lifetime * 1_000)
  }

  isValid(tokenId: string): boolean {
    return performance.now() < (this.#endsAt.get(tokenId) ?? 0)
  }

  revoke(tokenId: string): void {
    this.#endsAt.set(tokenId, 0)
  }

  revokeAll(): number {
    for (const tokenId of this.#endsAt.keys()) this.revoke(tokenId)
    return this.#endsAt.size
  }
}

/** How long tokens live, seconds: what was set for the client, or what is usual. */
export class TokenLifetimes {
  readonly #byClientId = new Map<string, number>()
  readonly #clients: Readonly<Record<string, RegisteredClient>>
  #usual = 3_600

  constructor(lifetimes: number | Record<string, number>, clients: Readonly<Record<string, RegisteredClient>>) {
    this.#clients = clients
    if (typeof lifetimes === 'number') this.#usual = lifetimes
    else for (const [name, seconds] of Object.entries(lifetimes)) this.set(seconds, name)
  }

  of(clientId: string): number {
    return this.#byClientId.get(clientId) ?? this.#usual
  }

  set(seconds: number, clientName?: string): void {
    if (clientName === undefined) {
      this.#usual = seconds
      this.#byClientId.clear()
    } else this.#byClientId.set(this.#clients[clientName]?.clientId ?? clientName, seconds)
  }
}
