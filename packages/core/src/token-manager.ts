import type { AccessToken } from './access-token'
import type { ClientDefinition, ClientDefinitionSource } from './client-definition'
import type { Clock } from './clock'
import type { Logger, TokenEvents, Unsubscribe } from './events'
import type { TokenCache } from './token-cache'
import type { GetAccessTokenOptions, TokenParameters } from './token-parameters'
import type { TokenPresenter } from './token-presenter'
import type { TokenRequester } from './token-requester'
import type { TokenStore } from './token-store'

/** Options of `createTokenManager`. */
export interface TokenManagerOptions<Name extends string = string> {
  /** The clients by name. */
  clients?: Readonly<Record<Name, ClientDefinitionSource>> | undefined
  /** Finds the definition of a client that is not among `clients`, when it is first used; undefined: there is none. */
  resolveClient?: ((name: string) => Promise<ClientDefinition | undefined>) | undefined
  /** Where tokens are kept beside this process's own copies. Default: nowhere. */
  store?: TokenStore | undefined
  /** How long a call of the store may take before it counts as failed, milliseconds. Default 250. */
  storeTimeoutMs?: number | undefined
  /**
   * How long a copy of a token is used before the store is asked, in the background, whether it still has it: so that
   * a deletion by another process is seen. Milliseconds. Default 60,000.
   */
  localLifetimeMs?: number | undefined
  /** How many tokens this process keeps copies of; the least recently used go first. Default 10,000. */
  maxEntries?: number | undefined
  /** The time limit of one token request, milliseconds. Default 10,000. */
  timeoutMs?: number | undefined
  /**
   * How long before its expiry a token is no longer handed out, milliseconds; never more than a tenth of its
   * lifetime. Default 60,000.
   */
  expirationBufferMs?: number | undefined
  /** The lifetime of a token whose response names none, milliseconds. Default 300,000. */
  defaultLifetimeMs?: number | undefined
  /** Whether {@link TokenManager.close} revokes the tokens that this process holds (RFC 7009). Default false. */
  revokeOnClose?: boolean | undefined
  /** Where messages go; `console` fits. Default: nowhere. */
  logger?: Logger | undefined
  /** How tokens are asked for. Default: the client credentials grant by openid-client. */
  requester?: TokenRequester | undefined
  /** What keeps tokens fresh, in place of the cache that is built in; `store` and `maxEntries` are then its own. */
  cache?: TokenCache | undefined
  /** The time, for tests. Default: the platform's. */
  clock?: Clock | undefined
  /** Random numbers from 0 to 1, for tests. Default `Math.random`. */
  random?: (() => number) | undefined
}

/** Gives access tokens to those who name a client. `createTokenManager` makes one. */
export interface TokenManager<Name extends string = string> extends TokenPresenter<Name> {
  /**
   * A token that is good: the cached one, or a new one.
   *
   * @throws UnknownClientError when no client has that name
   * @throws TokenRequestError when no token can be had
   * @throws ConfigurationError when the options cannot be right
   */
  getAccessToken(client: Name, options?: GetAccessTokenOptions): Promise<AccessToken>
  /** Forgets the token that {@link getAccessToken} gives for the same options, here and in the store. */
  deleteAccessToken(client: Name, options?: TokenParameters): Promise<void>
  /**
   * Revokes the client's tokens that this process holds (RFC 7009), and forgets them as {@link clear} does. Resolves to
   * whether the authorization server offers revocation; where it does not, the tokens are only forgotten. The endpoint
   * is known by discovery, so the definition has to name an `issuer`.
   *
   * @throws TokenRequestError when the server could not be told; the tokens are forgotten all the same
   */
  revoke(client: Name): Promise<boolean>
  /**
   * Forgets every token of the client, or of all clients: here, and in the store those that any process put there.
   * (A store without `deleteGroup` forgets those that this process used, and the usual one of each client.) Other
   * processes replace their copies within `localLifetimeMs`.
   */
  clear(client?: Name): Promise<void>
  /**
   * Defines a client at run time; the manager that is returned is the same one, with a type that knows the name.
   *
   * @throws ConfigurationError when the name is taken or the definition cannot be right
   */
  addClient<Added extends string>(client: Added, definition: ClientDefinitionSource): TokenManager<Name | Added>
  /** Takes a definition away, and the copies of its tokens in this process; no error when there is none. */
  removeClient(client: Name | (string & {})): void
  /** Calls `listener` for every such event from now on; the function that is returned ends that. */
  on<Event extends keyof TokenEvents>(event: Event, listener: (event: TokenEvents[Event]) => void): Unsubscribe
  /** Ends what is in flight and forgets what is kept in this process. The store and its connection are the caller's. */
  close(): Promise<void>
}
