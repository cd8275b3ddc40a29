/** The configuration of one worker process. It is sent as a message, because other users can see command lines. */
export interface MemberConfiguration {
  /** Its name, which it sends to the token endpoint as `User-Agent`. */
  readonly name: string
  /** The URL of a single Redis. Exactly one of this, `redisNodes` and `redisSentinel` is needed. */
  readonly redisUrl?: string
  /** The addresses of some nodes of a Redis Cluster. */
  readonly redisNodes?: readonly RedisAddress[]
  /** The addresses of the Sentinels, and the name of the master that they watch. */
  readonly redisSentinel?: { readonly sentinels: readonly RedisAddress[]; readonly name: string }
  /** `tuned`: the Redis client fails fast. Default: the defaults of ioredis. */
  readonly redisOptions?: 'default' | 'tuned'
  readonly tokenEndpoint: string
  readonly clientId: string
  readonly clientSecret: string
  readonly catalogUrl: string
  readonly callsPerSecond: number
  /** The time limit of a token request, in milliseconds. Default: that of the token manager. */
  readonly timeoutMs?: number
  /** The time limit of a store operation, in milliseconds. Default: that of the token manager. */
  readonly storeTimeoutMs?: number
}

interface RedisAddress {
  readonly host: string
  readonly port: number
}

/** The counts of one worker process. */
export interface Counts {
  readonly calls: number
  /** The calls to which the API responded with 200. */
  readonly okCalls: number
  /** How often calls failed, by reason: a status other than 200, or the class and code of an error. */
  readonly failures: Readonly<Record<string, number>>
  readonly tokensRequested: number
  readonly tokensFromStore: number
  /** How often store operations failed, by operation and reason. */
  readonly storeFailures: Readonly<Record<string, number>>
  /** The longest time that a call waited for its token, in milliseconds. */
  readonly slowestTokenMs: number
}

export type ToMember =
  | { readonly type: 'configure'; readonly configuration: MemberConfiguration }
  | { readonly type: 'go' }
  | { readonly type: 'stop' }

export type FromMember = { readonly type: 'ready' } | { readonly type: 'counts'; readonly counts: Counts }

export const NO_COUNTS: Counts = {
  calls: 0,
  okCalls: 0,
  failures: {},
  tokensRequested: 0,
  tokensFromStore: 0,
  storeFailures: {},
  slowestTokenMs: 0,
}
