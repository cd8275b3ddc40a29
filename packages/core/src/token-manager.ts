import type { AccessToken } from './access-token'
import type { TracedTokens } from './acquisition'
import type { ClientDefinition, ClientDefinitionSource } from './client-definition'
import type { Clock } from './clock'
import type { Logger, TokenEvents, Unsubscribe } from './events'
import type { KeepFreshCallback, KeepFreshOptions } from './keep-fresh'
import type { TokenCache } from './token-cache'
import type { GetAccessTokenOptions, TokenParameters } from './token-parameters'
import type { TokenPresenter } from './token-presenter'
import type { TokenRequester } from './token-requester'
import type { ManagerStatus } from './token-status'
import type { TokenStore } from './token-store'

/** Options of `createTokenManager`. */
export interface TokenManagerOptions<Name extends string = string> {
  /** The clients by name. */
  clients?: Readonly<Record<Name, ClientDefinitionSource>> | undefined
  /** Finds the definition of a client that is not among `clients`, when it is first used. Undefined: there is no such client. */
  resolveClient?: ((name: string) => Promise<ClientDefinition | undefined>) | undefined
  /** Where tokens are kept in addition to the memory of this process. Default: nowhere. */
  store?: TokenStore | undefined
  /** How long a call of the store may take before it counts as failed, in milliseconds. Default 250. */
  storeTimeoutMs?: number | undefined
  /**
   * How long this process uses a token before it asks the store, in the background, whether the token is still there. So a
   * deletion by another process is noticed. Milliseconds. Default 60,000.
   */
  localLifetimeMs?: number | undefined
  /** How many tokens this process keeps in memory. The least recently used are dropped first. Default 10,000. */
  maxEntries?: number | undefined
  /** The time limit of one token request, and of a definition that is loaded late, in milliseconds. Default 10,000. */
  timeoutMs?: number | undefined
  /**
   * The last stretch before expiry, in which callers wait for a renewal, in milliseconds. At most a tenth of the token's
   * lifetime counts. Default 60,000.
   */
  expirationBufferMs?: number | undefined
  /** The lifetime of a token whose response names none, in milliseconds. Default 300,000. */
  defaultLifetimeMs?: number | undefined
  /** Whether {@link TokenManager.close} revokes the tokens that this process holds (RFC 7009). Default false. */
  revokeOnClose?: boolean | undefined
  /** Receives messages: `console`, or a logger of consola, winston or pino. Default: none. */
  logger?: Logger | undefined
  /** How tokens are requested. Default: the client credentials grant by openid-client. */
  requester?: TokenRequester | undefined
  /** Keeps tokens fresh in place of the built-in cache. It has its own store: `store` beside it is an error. */
  cache?: TokenCache | undefined
  /** The time, for tests. Default: the platform's. */
  clock?: Clock | undefined
  /** Returns random numbers from 0 to 1, for tests. Default `Math.random`. */
  random?: (() => number) | undefined
}

/** Provides access tokens by client name. `createTokenManager` makes one. */
export interface TokenManager<Name extends string = string> extends TokenPresenter<Name>, TracedTokens {
  /**
   * A valid access token: the cached one, or a new one.
   *
   * @example
   * const { value } = await tokens.getAccessToken('catalog.client')
   *
   * @throws UnknownClientError when no client has that name
   * @throws TokenRequestError when no token can be had
   * @throws ConfigurationError when the options are wrong
   */
  getAccessToken(client: Name, options?: GetAccessTokenOptions): Promise<AccessToken>
  /** Deletes the token that {@link getAccessToken} returns for the same options, here and in the store. */
  deleteAccessToken(client: Name, options?: TokenParameters): Promise<void>
  /**
   * Revokes the client's tokens that this process holds (RFC 7009), and deletes them as {@link clear} does. The revocation
   * endpoint is found by discovery, so the definition has to name an `issuer`.
   *
   * @returns true when every token was revoked. False when the server offers no revocation, and when this process holds no
   * token of the client. The tokens are deleted in each case.
   * @throws TokenRequestError when the revocation request failed. The tokens are deleted all the same.
   */
  revoke(client: Name): Promise<boolean>
  /**
   * Deletes every token of the client, or of all clients: in this process, and in the store those of all processes. In a store
   * without `deleteGroup`, it deletes the tokens that this process used, and each client's token without further options. Other
   * processes notice within `localLifetimeMs`.
   *
   * Without a name, a client whose definition cannot be loaded is left out: this process holds no token of it.
   */
  clear(client?: Name): Promise<void>
  /**
   * Defines a client at run time. Returns the same manager, with a type that knows the name.
   *
   * @throws ConfigurationError when the name is taken or the definition is wrong
   */
  addClient<Added extends string>(client: Added, definition: ClientDefinitionSource): TokenManager<Name | Added>
  /** Removes a definition, and its tokens from this process. No error when there is none. */
  removeClient(client: Name | (string & {})): void
  /**
   * Gets a token for each client, so that the first calls find one, and a process with a wrong secret does not start. Without
   * names: for each client that was defined.
   *
   * @example
   * await tokens.warmUp() // at start, before the first job
   *
   * @throws WarmUpError that names every client that cannot get a token, and why. Names that are not known are among them.
   */
  warmUp(clients?: readonly Name[]): Promise<void>
  /**
   * Keeps a token fresh although nobody asks for it, for a connection that outlives its token (AMQP, Kafka, gRPC streams). Calls
   * `callback` with the current token and with each new one: renewed ahead, after a 401, or by another process. While no token can
   * be had, it tries again after pauses of 0.5 s that double up to 30 s. What `callback` throws ends nothing. It is not waited
   * for. The timer does not keep the process alive.
   *
   * @example
   * const stop = tokens.keepFresh('catalog.client', (token) => connection.updateSecret(token.value))
   *
   * @returns a function that ends it. `close` ends it too.
   * @throws UnknownClientError when no client has that name
   * @throws ConfigurationError when the options are wrong
   */
  keepFresh(client: Name, callback: KeepFreshCallback, options?: KeepFreshOptions): Unsubscribe
  /**
   * The state of the store, of each client and of each token in this process. It asks nobody: no token request is sent. The result
   * is a plain object for a health endpoint, with no token and no secret in it.
   */
  status(): ManagerStatus
  /** Calls `listener` for every such event from now on. The returned function ends that. */
  on<Event extends keyof TokenEvents>(event: Event, listener: (event: TokenEvents[Event]) => void): Unsubscribe
  /**
   * Ends the requests under way and forgets the tokens of this process. Calls that come later fail with the error `closed`. The
   * store and its connection belong to the caller.
   */
  close(): Promise<void>
}
