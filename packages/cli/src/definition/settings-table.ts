import type { AuthMethod, ClientSettings } from '../client-settings'

/**
 * `text`, `url` and `file` are strings; a `file` is relative to the folder of the config file, or to the current one. A `list` may
 * be repeated, and so may `texts` and `files`, which are usually one. `pairs` are `name=value`, and may be repeated.
 */
type SettingKind = 'text' | 'texts' | 'url' | 'file' | 'files' | 'switch' | 'number' | 'list' | 'pairs'

/** One setting of a client: a flag, an environment variable, and an option in a config file. */
export interface Setting {
  readonly name: keyof ClientSettings
  readonly kind: SettingKind
  /** One line for `--help`. */
  readonly help: string
  /** The values that it may have. Without it: any. */
  readonly choices?: readonly string[]
  /** Of a group only one makes sense, so one from the command line replaces all from the environment and the config file. */
  readonly group?: 'server' | 'credential'
}

export const AUTH_METHODS: readonly AuthMethod[] = [
  'client_secret_basic',
  'client_secret_post',
  'client_secret_jwt',
  'private_key_jwt',
  'tls_client_auth',
  'none',
]

export const SETTINGS: readonly Setting[] = [
  { name: 'issuer', kind: 'url', group: 'server', help: 'the issuer; its metadata names the token endpoint' },
  { name: 'tokenEndpoint', kind: 'url', group: 'server', help: 'the token endpoint itself, in place of an issuer' },
  { name: 'clientId', kind: 'text', help: 'the client id' },
  {
    name: 'clientSecretFile',
    kind: 'files',
    group: 'credential',
    help: 'a file with the client secret; - is standard input; repeated while it is rotated',
  },
  {
    name: 'clientSecret',
    kind: 'texts',
    group: 'credential',
    help: 'the client secret; other users see it in the process list',
  },
  {
    name: 'auth',
    kind: 'text',
    choices: AUTH_METHODS,
    help: 'client_secret_basic (default), client_secret_post, client_secret_jwt, …',
  },
  { name: 'keyFile', kind: 'file', group: 'credential', help: 'the private key of private_key_jwt: PEM or JWK' },
  { name: 'keyId', kind: 'text', help: 'the kid of that key' },
  { name: 'keyAlgorithm', kind: 'text', help: 'the JWS algorithm of that key; for RSA RS256 by default' },
  { name: 'assertionFile', kind: 'file', group: 'credential', help: 'a file with a ready client assertion' },
  { name: 'assertionCommand', kind: 'text', group: 'credential', help: 'a command that prints a client assertion' },
  { name: 'certFile', kind: 'file', help: "the client's TLS certificate, PEM (mTLS)" },
  { name: 'certKeyFile', kind: 'file', help: 'its private key, PEM' },
  { name: 'caFile', kind: 'file', help: 'certificate authorities to trust, PEM' },
  { name: 'scope', kind: 'text', help: 'scopes to request, separated by spaces' },
  { name: 'resource', kind: 'list', help: 'the API that the token is for (RFC 8707); may be repeated' },
  { name: 'audience', kind: 'text', help: 'the audience parameter of some servers' },
  { name: 'parameters', kind: 'pairs', help: 'a further form parameter, name=value; may be repeated' },
  { name: 'dpop', kind: 'switch', help: 'request a token that is bound to a key (RFC 9449)' },
  { name: 'dpopKeyFile', kind: 'file', help: 'the DPoP key: PEM or JWK; a new one by default' },
  { name: 'timeoutMs', kind: 'number', help: 'time limit of each request in milliseconds; default 10000' },
  { name: 'allowInsecureRequests', kind: 'switch', help: 'allow plain http to hosts other than loopback' },
  { name: 'api', kind: 'url', help: 'an API to call with the token, by GET' },
]

/** `clientId` → `client-id`. One parameter is one flag, so that flag is in the singular. */
export function flagOf(name: string): string {
  return name === 'parameters' ? 'parameter' : name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

/** `clientId` → `TOKENWARD_CLIENT_ID`. */
export function variableOf(name: string): string {
  return `TOKENWARD_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`
}
