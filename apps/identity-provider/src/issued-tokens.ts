import type { RegisteredClient } from './clients'

/** When each issued token expires, in milliseconds. A JWT has whole seconds only, which is too coarse for short lifetimes. */
export class IssuedTokens {
  readonly #expiresAt = new Map<string, number>()

  add(tokenId: string, lifetimeSeconds: number): void {
    this.#expiresAt.set(tokenId, performance.now() + lifetimeSeconds * 1_000)
  }

  isValid(tokenId: string): boolean {
    return performance.now() < (this.#expiresAt.get(tokenId) ?? 0)
  }

  revoke(tokenId: string): void {
    this.#expiresAt.set(tokenId, 0)
  }

  revokeAll(): number {
    for (const tokenId of this.#expiresAt.keys()) this.revoke(tokenId)
    return this.#expiresAt.size
  }
}

/** The lifetimes of new tokens, in seconds: one for each client that has its own, and the default. */
export class TokenLifetimes {
  readonly #byClientId = new Map<string, number>()
  readonly #clients: Readonly<Record<string, RegisteredClient>>
  #default = 3_600

  constructor(lifetimes: number | Record<string, number>, clients: Readonly<Record<string, RegisteredClient>>) {
    this.#clients = clients
    if (typeof lifetimes === 'number') this.#default = lifetimes
    else for (const [name, seconds] of Object.entries(lifetimes)) this.set(seconds, name)
  }

  of(clientId: string): number {
    return this.#byClientId.get(clientId) ?? this.#default
  }

  set(seconds: number, clientName?: string): void {
    if (clientName === undefined) {
      this.#default = seconds
      this.#byClientId.clear()
    } else this.#byClientId.set(this.#clients[clientName]?.clientId ?? clientName, seconds)
  }
}
