/** What one worker process is told. It comes by a message: command lines and environments are seen by others. */
export interface MemberConfiguration {
  /** What it calls itself at the token endpoint, as its `User-Agent`. */
  readonly name: string
  /** Where Redis is: this, or `redisNodes`, or `redisSentinel`. */
  readonly redisUrl?: string
  /** Some nodes of a Redis Cluster. */
  readonly redisNodes?: readonly RedisAddress[]
  /** The Sentinels that know which Redis is the master of `name`. */
  readonly redisSentinel?: { readonly sentinels: readonly RedisAddress[]; readonly name: string }
  /** `tuned`: the client itself fails fast. Default: as ioredis comes. */
  readonly redisOptions?: 'default' | 'tuned'
  readonly tokenEndpoint: string
  readonly clientId: string
  readonly clientSecret: string
  readonly catalogUrl: string
  readonly callsPerSecond: number
  /** The time limit of a token request, milliseconds; the manager's default when it is not said. */
  readonly timeoutMs?: number
  /** How long a call of Redis may take, milliseconds; the manager's default when it is not said. */
  readonly storeTimeoutMs?: number
}

interface RedisAddress {
  readonly host: string
  readonly port: number
}

/** What one worker process has done so far. */
export interface Counts {
  readonly calls: number
  /** Those that the API answered with 200. */
  readonly okCalls: number
  /** What calls failed with, and how often: a status that is not 200, or an error's class and code. */
  readonly failures: Readonly<Record<string, number>>
  readonly tokensRequested: number
  readonly tokensFromStore: number
  /** What went wrong with Redis, and how often: operation and reason. */
  readonly storeFailures: Readonly<Record<string, number>>
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
  okCalls: 0,
  failures: {},
  tokensRequested: 0,
  tokensFromStore: 0,
  storeFailures: {},
  slowestTokenMs: 0,
}
