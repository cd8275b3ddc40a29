import type { RetrievalReason } from '@tokenward/core'

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
  /** Where to connect instead, for addresses (`host:port`) that a Cluster or the Sentinels name. */
  readonly redisNatMap?: Readonly<Record<string, RedisAddress>>
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
  /** Encrypts what it stores with these 32 bytes, in base64. */
  readonly encryptionKey?: string
  /** What it calls in place of the catalog. It reports each of these calls. */
  readonly targets?: readonly CallTarget[]
  /** How far the clock of the process is ahead of the machine's, in milliseconds. Default 0. */
  readonly clockAheadMs?: number
}

export interface RedisAddress {
  readonly host: string
  readonly port: number
}

/** A token that calls use, and the API that they use it for. */
export interface CallTarget {
  /** Its name in reports. */
  readonly name: string
  readonly client: string
  readonly clientId: string
  readonly clientSecret: string
  readonly scope: string
  readonly apiUrl: string
}

/** One call of the API of a target. Times are in milliseconds of the machine's monotonic clock, which all processes share. */
export interface CallRecord {
  readonly target: string
  readonly startedAt: number
  readonly endedAt: number
  /** The requests that were sent: more than one when the API rejected a token. */
  readonly sent: readonly SentToken[]
  /** The status of the API's response, or the class and code of an error. */
  readonly outcome: string
}

export interface SentToken {
  /** The `jti` of the token, which is no secret. */
  readonly tokenId: string
  readonly at: number
  /** When the response came. */
  readonly endedAt: number
  readonly status: number
}

/** What a process tells about its recorded calls. */
export interface CallReport {
  /** The calls that have ended since the last report. */
  readonly calls: readonly CallRecord[]
  /** When the calls under way started. */
  readonly pending: readonly { readonly target: string; readonly startedAt: number }[]
  /** When the process got no time to run although it wanted to. */
  readonly stalls: readonly { readonly from: number; readonly to: number }[]
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

/** The token that a process uses. */
export interface TokenInUse {
  /** The beginning of a SHA-256 digest of the token. It tells tokens apart, and nothing else. */
  readonly id: string
  /** How long it is valid, by the clock of the process. */
  readonly remainingMs: number
}

/** `renewing`: it waits for the token endpoint. `waiting`: another process holds the lease and renews the token. */
export type Activity = 'working' | 'renewing' | 'waiting'

/** What happens in a process, as it happens. */
export type MemberEvent =
  | { readonly type: 'activity'; readonly activity: Activity }
  | {
      readonly type: 'tokenChanged'
      readonly tokenId: string
      readonly source: 'endpoint' | 'store'
      readonly reason: RetrievalReason
    }
  /** The token endpoint responded. Without a status, the connection failed. */
  | { readonly type: 'tokenResponse'; readonly status: number | undefined; readonly durationMs: number }
  /** It cannot renew the token. Its calls use the current one until it expires. */
  | { readonly type: 'renewalFailed'; readonly client: string; readonly error: string }
  /** It has no valid token, and its calls fail. */
  | { readonly type: 'tokenUnavailable'; readonly client: string; readonly error: string }
  | { readonly type: 'tokenRecovered' }
  | { readonly type: 'tokenRejected' }
  | { readonly type: 'newTokenRejected' }
  | { readonly type: 'circuitOpened' }
  | { readonly type: 'circuitClosed' }
  | { readonly type: 'leaseTaken'; readonly key: string }
  /** `lost`: the lease had ended before the token was written. */
  | { readonly type: 'leaseEnded'; readonly how: 'written' | 'released' | 'lost' }
  | { readonly type: 'leaseTakenOver'; readonly waitedMs: number }
  /** The first failure since the store worked. */
  | { readonly type: 'storeFailed' }
  | { readonly type: 'storeRecovered' }
  | { readonly type: 'callFailed'; readonly reason: string }

export type ToMember =
  | { readonly type: 'configure'; readonly configuration: MemberConfiguration }
  | { readonly type: 'go' }
  /** The secret that it uses from now on. */
  | { readonly type: 'useSecret'; readonly clientSecret: string }
  /** Moves its clock ahead. */
  | { readonly type: 'skip'; readonly ms: number }
  | { readonly type: 'stop' }

export type FromMember =
  | { readonly type: 'ready' }
  | { readonly type: 'counts'; readonly counts: Counts; readonly token: TokenInUse | undefined }
  | { readonly type: 'event'; readonly event: MemberEvent }
  | { readonly type: 'calls'; readonly report: CallReport }

export const NO_COUNTS: Counts = {
  calls: 0,
  okCalls: 0,
  failures: {},
  tokensRequested: 0,
  tokensFromStore: 0,
  storeFailures: {},
  slowestTokenMs: 0,
}
