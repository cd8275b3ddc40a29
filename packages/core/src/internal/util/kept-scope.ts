/** Whose credentials a requester keeps, and who waits for their use. */
export interface KeptScope {
  /** The client's name, for errors. */
  readonly client: string
  /** Tells its credentials from those of other clients: two definitions of one client at one server share them. */
  readonly owner: string
  /** The time limit of a use, in milliseconds. */
  readonly limitMs: number
  /** Ends the wait of the caller. A use that has begun goes on. */
  readonly signal: AbortSignal
  /** The error when a use takes too long. */
  timeout(signal: AbortSignal | undefined): unknown
}
