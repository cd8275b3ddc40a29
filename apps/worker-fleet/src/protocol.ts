/** What one worker process is told. It comes by a message: command lines and environments are seen by others. */
export interface MemberConfiguration {
  /** What it calls itself at the token endpoint, as its `User-Agent`. */
  readonly name: string
  readonly redisUrl: string
  readonly tokenEndpoint: string
  readonly clientId: string
  readonly clientSecret: string
  readonly catalogUrl: string
  readonly callsPerSecond: number
  /** The time limit of a token request, milliseconds; the manager's default when it is not said. */
  readonly timeoutMs?: number
}

/** What one worker process has done so far. */
export interface Counts {
  readonly calls: number
  /** What calls failed with, and how often: a status that is not 200, or an error's code. */
  readonly failures: Readonly<Record<string, number>>
  readonly tokensRequested: number
  readonly tokensFromStore: number
  /** What went wrong with Redis. */
  readonly storeFailures: number
  /** The longest that a call waited for its token, milliseconds. */
  readonly slowestTokenMs: number
}

export type ToMember =
  | { readonly type: 'configure'; readonly configuration: MemberConfiguration }
  | { readonly type: 'go' }
  | { readonly type: 'stop' }

export type FromMember = { readonly type: 'ready' } | { readonly type: 'counts'; readonly counts: Counts }

export const NOTHING_YET: Counts = {
  calls: 0,
  failures: {},
  tokensRequested: 0,
  tokensFromStore: 0,
  storeFailures: 0,
  slowestTokenMs: 0,
}
