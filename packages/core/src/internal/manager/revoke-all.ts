/** A token that arrives during the revocation is revoked in the next round. There are few: new calls are refused. */
const ROUNDS = 3

/**
 * Revokes the tokens that this process holds.
 *
 * @param holders returns the clients that have tokens now
 */
export async function revokeAll(holders: () => string[], revoke: (client: string) => Promise<unknown>): Promise<void> {
  for (let round = 1; round <= ROUNDS; round++) {
    const names = holders()
    if (names.length === 0) return
    // A token that cannot be revoked expires by itself. It does not keep the manager open.
    await Promise.allSettled(names.map((name) => revoke(name)))
  }
}
