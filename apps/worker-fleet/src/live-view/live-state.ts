/** What the page shows. The server sends it several times a second. */
export interface LiveState {
  /** What happens now, in one or two sentences. */
  readonly now: Sentence
  /** What somebody who cannot see the page should hear. It changes only when something breaks or works again. */
  readonly announcement: string
  readonly calls: number
  readonly failedCalls: number
  /** How often calls failed, by reason. */
  readonly failures: Readonly<Record<string, number>>
  readonly tokenRequests: number
  readonly tokens: number
  readonly lifetimeMs: number
  /** How long the last stretch of a token is, in which calls wait for the new one. */
  readonly lastStretchMs: number
  readonly workers: readonly WorkerState[]
  readonly endpoint: EndpointState
  readonly redis: RedisState
  readonly hasWrongSecret: boolean
  /** What happened, the latest first. */
  readonly log: readonly LogLine[]
}

/** `good`: nothing fails. `busy`: a token is renewed. `warning`: something is broken, but no call fails. `bad`: calls fail. */
export type Tone = 'good' | 'busy' | 'warning' | 'bad'

export interface Sentence {
  readonly tone: Tone
  readonly text: string
}

/** `starting`: its process is not ready yet. The others are what a process does. */
export type Phase = 'starting' | 'working' | 'renewing' | 'waiting'

export interface WorkerState {
  readonly name: string
  readonly pid: number | undefined
  readonly phase: Phase
  readonly tone: Tone
  /** What it does, in a few words. */
  readonly text: string
  /** `isRejected`: the API rejected it, and the worker has no new one yet. */
  readonly token: { readonly number: number; readonly remainingMs: number; readonly isRejected: boolean } | undefined
  readonly calls: number
  readonly failedCalls: number
}

export interface EndpointState {
  readonly isUp: boolean
  /** How late it responds, so that one can see who waits. */
  readonly latencyMs: number
  /** The latest first. */
  readonly requests: readonly EndpointRequest[]
}

export interface EndpointRequest {
  readonly number: number
  readonly worker: string
  /** `pending`: the endpoint has not responded yet. `none`: it never will, because the worker has ended or the connection failed. */
  readonly status: number | 'pending' | 'none'
  readonly durationMs: number | undefined
}

export interface RedisState {
  readonly isUp: boolean
  /** How long the token in Redis is kept. Undefined: there is none. */
  readonly tokenMs: number | undefined
  /** How long the lease is held. Undefined: nobody holds it. */
  readonly leaseMs: number | undefined
  readonly leaseHolder: string | undefined
  /** The process that took the lease has ended. */
  readonly isLeaseOrphaned: boolean
}

export interface LogLine {
  readonly id: number
  /** The local time of day. */
  readonly time: string
  readonly tone: Tone
  readonly text: string
}

/** What the buttons do. */
export const COMMANDS = [
  'endpoint-down',
  'endpoint-up',
  'redis-down',
  'redis-up',
  'wrong-secret',
  'right-secret',
  'revoke',
  'kill',
  'skip',
] as const
export type Command = (typeof COMMANDS)[number]
