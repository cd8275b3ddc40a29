/** What the local proxy forwards, and for whom. */
export interface ProxyOptions {
  /** Where requests go. Their paths are joined to its path. */
  readonly to: URL
  /** The address or name that the proxy listens on. */
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  /** Names in the Host header that are fine, in addition to `localhost`. Addresses always are. */
  readonly allowedHosts: readonly string[]
  /** Scopes that the API may demand in a 403. Default: none. */
  readonly stepUpScopes?: readonly string[]
}
