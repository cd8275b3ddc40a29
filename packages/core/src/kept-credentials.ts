/** A credential that a token request uses up: the server issues the next one with the token. */
export interface KeptCredential {
  /** The credential of the last token request. Undefined: there was none, or it has expired. */
  readonly value: string | undefined
  /** Ends the use when it has taken too long. It does not end with the caller: a response that nobody reads is a lost credential. */
  readonly signal: AbortSignal
  /**
   * Has to be called right before the credential is sent.
   *
   * @throws TokenRequestError `credential_unavailable` when this process was stopped meanwhile: another one may have used the credential
   */
  sending(): void
  /**
   * Keeps the credential of the response in place of {@link value}. It is in the store when this resolves, unless the store fails: then
   * this process keeps it, and tries again until the store has it. It has to be printable ASCII, at most 64 KiB.
   */
  keep(value: string, lifetimeMs: number): Promise<void>
  /** What another process has kept since this use began, though it should not have. Undefined: nothing. */
  newer(): Promise<string | undefined>
}

/**
 * Credentials that requesters keep from one token request to the next, in the manager's store if it has one. The requester of the refresh
 * token grant (RFC 6749 §6) keeps refresh tokens here. They outlive the access tokens: `clear` does not delete them.
 */
export interface KeptCredentials {
  /**
   * Runs `use` alone: no other use of the same credential runs meanwhile, in this process, and with a store that has leases in the
   * fleet. It gets the credential of the use before it.
   *
   * @param id what tells the credential from the client's others. It is hashed, so it may be anything but the credential itself
   * @throws TokenRequestError `credential_unavailable` when the store cannot say what the credential is. Then `use` is not called: a
   * credential that was used before may be all that a server needs to revoke the grant.
   */
  use<T>(id: string, use: (credential: KeptCredential) => Promise<T>): Promise<T>
}
