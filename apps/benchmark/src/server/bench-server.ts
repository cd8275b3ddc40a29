import type { FaultResponse } from '@tokenward/identity-provider'

/** What a library needs to get a token and to use it. */
export interface ServerAddress {
  readonly issuer: string
  /** An API that verifies the signature of each token. For benchmarks of behavior. */
  readonly catalogURL: string
  /** An API that compares the header with those that it has verified before. For benchmarks of cost. */
  readonly lightURL: string
}

/** The authorization server and the APIs, in this process or in one of their own. */
export interface BenchServer {
  readonly address: ServerAddress
  /** The credentials of a client. */
  credentials(clientId: string): { readonly clientId: string; readonly clientSecret: string }
  /** The number of token requests since the last {@link reset}: of one client, or of all. */
  tokenRequests(clientId?: string): Promise<number>
  /** Forgets the requests and ends all faults. */
  reset(): Promise<void>
  setTokenLifetime(clientId: string, seconds: number): Promise<void>
  /** Makes every response of the token endpoint later. */
  delayTokens(ms: number): Promise<void>
  /** The next token requests get `response`. */
  failTokens(times: number | 'all', response: FaultResponse): Promise<void>
  /** The APIs respond 401 to every token that was issued so far. */
  revokeIssued(): Promise<void>
  /** The catalog responds 401 to every request, until {@link reset}. */
  rejectEverything(): Promise<void>
  close(): Promise<void>
}

/** The commands of a {@link BenchServer}: what one process tells another. */
export type ServerCommand = Exclude<keyof BenchServer, 'address' | 'credentials' | 'close'>

/** One command, from the process that runs the benchmark. */
export interface CommandMessage {
  readonly id: number
  readonly command: ServerCommand
  readonly args: readonly unknown[]
}

/** The response to a command. */
export interface ResponseMessage {
  readonly id: number
  readonly result?: unknown
  readonly error?: string
}

/** The secret of each client is public: nothing but the benchmark uses it. */
export function credentials(clientId: string) {
  return { clientId, clientSecret: 'benchmark-secret' }
}
