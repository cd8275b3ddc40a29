import type { ClientSettings } from '../client-settings'
import type { ReadyClient } from '../definition/client-definition'
import type { ReadJwt } from './jwt'

/** What is known about a token request that failed. */
export interface RequestFacts {
  readonly settings: ClientSettings
  readonly method: ReadyClient['method']
  readonly secret?: string | undefined
  /** The metadata of the issuer, if it was read. */
  readonly metadata?: Readonly<Record<string, unknown>> | undefined
  /** How far this machine's clock is ahead of the server's, in seconds. */
  readonly clockAheadSeconds?: number | undefined
  /** The client assertion that came from a file or a command. */
  readonly assertion?: ReadJwt | undefined
  /** Another method that the server accepts for the same secret. */
  readonly acceptedMethod?: string | undefined
}

/** From this difference on, servers refuse what is signed with this machine's time. */
const TOLERATED_SECONDS = 30

/** What is wrong with this machine's clock. Undefined: nothing that matters. */
export function clockProblem(aheadSeconds: number | undefined): string | undefined {
  if (aheadSeconds === undefined || Math.abs(aheadSeconds) <= TOLERATED_SECONDS) return undefined
  const direction = aheadSeconds > 0 ? 'ahead of' : 'behind'
  return `The clock of this machine is ${Math.abs(aheadSeconds)} s ${direction} the server's. Set it (NTP).`
}

/** The strings in a list of the metadata, such as `scopes_supported`. Undefined when the server does not publish it. */
export function supported(metadata: RequestFacts['metadata'], name: string): string[] | undefined {
  const list = metadata?.[name]
  return Array.isArray(list) ? list.filter((each) => typeof each === 'string') : undefined
}
