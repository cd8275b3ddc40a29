/** How a client authenticates at the token endpoint. */
export type AuthMethod =
  | 'client_secret_basic'
  | 'client_secret_post'
  | 'client_secret_jwt'
  | 'private_key_jwt'
  | 'tls_client_auth'
  | 'none'

/**
 * One client, as a config file describes it. Flags and environment variables set the same: `clientId` is the flag `--client-id`
 * and the variable `TOKENWARD_CLIENT_ID`.
 */
export interface ClientSettings {
  /** The issuer. Its metadata names the token endpoint. This or `tokenEndpoint` is required. */
  issuer?: string | undefined
  /** The URL of the token endpoint. */
  tokenEndpoint?: string | undefined
  /** The client identifier. Required. */
  clientId?: string | undefined
  /** The client secret. Prefer `clientSecretFile`. Several while one is rotated, the new one first: the server accepts one of them. */
  clientSecret?: string | readonly string[] | undefined
  /**
   * A file that holds the client secret. `-`: standard input. A line break at its end does not count. Several files while the secret
   * is rotated, that with the new one first.
   */
  clientSecretFile?: string | readonly string[] | undefined
  /** How the client authenticates. Default: what fits the credential, for a secret `client_secret_basic`. */
  auth?: AuthMethod | undefined
  /** A file with the private key of `private_key_jwt`: PEM or JWK. */
  keyFile?: string | undefined
  /** The key's id (`kid`) at the server. Default: the JWK's, or none. */
  keyId?: string | undefined
  /** The key's JWS algorithm. Default: the JWK's `alg`, or what fits the key; for RSA `RS256`. */
  keyAlgorithm?: string | undefined
  /** A file with a ready client assertion (RFC 7523), such as a projected service account token. */
  assertionFile?: string | undefined
  /** A command that prints a ready client assertion. It is run by the shell. */
  assertionCommand?: string | undefined
  /** A file with the client's TLS certificate, in PEM (RFC 8705). */
  certFile?: string | undefined
  /** A file with the private key of that certificate, in PEM. */
  certKeyFile?: string | undefined
  /** A file with certificates of authorities to trust, in PEM. They count in addition to those that Node trusts. */
  caFile?: string | undefined
  /** The scopes to request, separated by spaces. */
  scope?: string | undefined
  /** The APIs that the token is for (RFC 8707): absolute URIs. */
  resource?: string | readonly string[] | undefined
  /** The `audience` parameter of some servers. */
  audience?: string | undefined
  /** Further form parameters of the token request. */
  parameters?: Readonly<Record<string, string>> | undefined
  /** Whether to request a token that is bound to a key (RFC 9449). Default false. */
  dpop?: boolean | undefined
  /** A file with the DPoP key: PEM or JWK. Implies `dpop`. Default: a new key for each run. */
  dpopKeyFile?: string | undefined
  /** The time limit of each request, in milliseconds. Default 10,000. */
  timeoutMs?: number | undefined
  /** Allows plain http to hosts other than loopback. Default false. */
  allowInsecureRequests?: boolean | undefined
  /** The URL of an API to call with the token, by GET. */
  api?: string | undefined
}
