import type { AccessToken } from '@tokenward/core'

/** How many tokens are remembered. More of them than a process has clients and scopes would only be due to an error. */
const MOST_TOKENS = 1_000
/** Several services can demand different claims of one token. */
const MOST_CHALLENGES = 10

interface Issued {
  last: AccessToken
  /** The token that each challenge has rejected. */
  readonly rejected: Map<string, AccessToken>
}

/**
 * Which token a claims challenge rejects. The SDK does not say it: it is the last one that it got. When many clients get the same challenge, it
 * is the one that the first of them has reported, not the new one.
 */
export class ChallengedTokens {
  readonly #issued = new Map<string, Issued>()

  rejectedBy(key: string, claims: string): AccessToken | undefined {
    const issued = this.#issued.get(key)
    return issued?.rejected.get(claims) ?? issued?.last
  }

  remember(key: string, claims: string, token: AccessToken): void {
    const issued = this.#of(key, token)
    issued.rejected.delete(claims)
    issued.rejected.set(claims, token)
    dropOldest(issued.rejected, MOST_CHALLENGES)
  }

  issued(key: string, token: AccessToken): void {
    this.#of(key, token).last = token
  }

  #of(key: string, token: AccessToken): Issued {
    const issued = this.#issued.get(key) ?? { last: token, rejected: new Map() }
    this.#issued.delete(key)
    this.#issued.set(key, issued)
    dropOldest(this.#issued, MOST_TOKENS)
    return issued
  }
}

function dropOldest(map: Map<string, unknown>, most: number): void {
  if (map.size <= most) return
  const [oldest] = map.keys()
  if (oldest !== undefined) map.delete(oldest)
}
