import type { Host } from './world'

/** One request to the token endpoint, from the moment at which a process sends it to the one at which the process has its end. */
export interface RequestUnderWay {
  readonly host: Host
  /** The client and the tenant. */
  readonly key: string
  readonly client: string
  readonly refreshToken: string | undefined
  readonly since: number
}
