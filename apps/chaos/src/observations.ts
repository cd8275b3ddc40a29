/** A token, as its issuer knows it. Times are in milliseconds of the machine's clock. */
export interface IssuedToken {
  readonly clientId: string | undefined
  readonly scope: string | undefined
  readonly issuedAt: number
  readonly expiresAt: number
  readonly revokedAt: number | undefined
}

/** What calls of one kind ask for. */
export interface Target {
  readonly name: string
  readonly clientId: string
  readonly scope: string
}

/** A request that reached the token endpoint. */
export interface TokenRequest {
  readonly process: string
  readonly target: string
  readonly at: number
  readonly endedAt: number | undefined
  /** The status of the response; 0 when there is none. */
  readonly status: number
}
