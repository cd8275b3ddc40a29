import type { RegisteredClient } from './clients'

/** A token that was issued. Times are in milliseconds of the monotonic clock (`performance.now`). */
export interface IssuedToken {
  readonly clientId: string | undefined
  readonly scope: string | undefined
  readonly issuedAt: number
  /** To the millisecond. A JWT has whole seconds only, which is too coarse for short lifetimes. */
  readonly expiresAt: number
  /** Undefined: it was not revoked. */
  readonly revokedAt: number | undefined
}

/** What became of each issued token. */
export class IssuedTokens {
  readonly #tokens = new Map<string, IssuedToken>()

  add(tokenId: string, lifetimeSeconds: number, granted: Pick<IssuedToken, 'clientId' | 'scope'>): void {
    const issuedAt = performance.now()
    const times = { issuedAt, expiresAt: issuedAt + lifetimeSeconds * 1_000, revokedAt: undefined }
    this.#tokens.set(tokenId, { ...granted, ...times })
  }

  get(tokenId: string): IssuedToken | undefined {
    return this.#tokens.get(tokenId)
  }

  isValid(tokenId: string): boolean {
    const token = this.#tokens.get(tokenId)
    return token !== undefined && token.revokedAt === undefined && performance.now() < token.expiresAt
  }

  revoke(tokenId: string): void {
    const token = this.#tokens.get(tokenId)
    if (token) this.#tokens.set(tokenId, { ...token, revokedAt: token.revokedAt ?? performance.now() })
  }

  revokeAll(): number {
    for (const tokenId of this.#tokens.keys()) this.revoke(tokenId)
    return this.#tokens.size
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
