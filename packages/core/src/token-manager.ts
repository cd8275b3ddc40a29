import { type MemoryStore, memoryStore } from '@tokenward/store-memory'
import type { AccessToken } from './access-token'
import { clientCredentials } from './client-credentials'
import type { ClientDefinition, ClientDefinitionSource } from './client-definition'
import { type Clock, systemClock } from './clock'
import type { Logger, TokenEvents, Unsubscribe } from './events'
import { ClientRegistry, type ManagedClient } from './internal/client-registry'
import { EventEmitter } from './internal/event-emitter'
import { FreshTokenCache } from './internal/fresh-token-cache'
import { OptionChecks, Problems } from './internal/problems'
import { type RequestedToken, requestedToken, tokenIdentity, tokenKey } from './internal/requested-token'
import { StoreAccess } from './internal/store-access'
import type { TokenCache } from './token-cache'
import type { ClientAssertion, TokenRequester } from './token-requester'
import type { TokenStore } from './token-store'

/** What one call asks for in place of its client's definition. */
export interface TokenParameters {
  /** Scopes, separated by spaces; replaces the definition's. */
  scope?: string | undefined
  /** The APIs that the token is for (RFC 8707); replaces the definition's. */
  resource?: string | URL | readonly (string | URL)[] | undefined
  /** The `audience` parameter; replaces the definition's. */
  audience?: string | undefined
  /** Further form parameters, merged over the definition's key by key; `undefined` takes one away. */
  parameters?: Readonly<Record<string, string | undefined>> | undefined
  /** The client assertion of this request, or its supplier; wins over the definition's. It is no part of the key. */
  clientAssertion?: ClientAssertion | undefined
  /**
   * How long the token has to live yet, milliseconds: for a job that must not lose it half-way. Where no token lives
   * that long, one that has 80 % of its lifetime before it will do. Default 0.
   */
  minValidityMs?: number | undefined
  /** A new token, even if a good one is cached. Calls that force it at the same time share one request. */
  forceRenewal?: boolean | undefined
}

/** Options of {@link TokenManager.getAccessToken}. */
export interface GetAccessTokenOptions extends TokenParameters {
  /** Rejects this call with the signal's reason; a request that others wait for goes on. */
  signal?: AbortSignal | undefined
}

/** Options of {@link createTokenManager}. */
export interface TokenManagerOptions<Name extends string = string> {
  /** The clients by name. */
  clients?: Readonly<Record<Name, ClientDefinitionSource>> | undefined
  /** Finds the definition of a client that is not among `clients`, when it is first used; undefined: there is none. */
  resolveClient?: ((name: string) => Promise<ClientDefinition | undefined>) | undefined
  /** Where tokens are kept beside this process's own copies. Default: nowhere. */
  store?: TokenStore | undefined
  /** How long a call of the store may take before it counts as failed, milliseconds. Default 250. */
  storeTimeoutMs?: number | undefined
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

/** Gives access tokens to those who name a client. {@link createTokenManager} makes one. */
export interface TokenManager<Name extends string = string> {
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
   * An API answered 401 to `token`, which `getAccessToken` gave for the same options: it is not handed out again.
   * Resolves to whether the next `getAccessToken` gives another one; false while rejections of brand-new tokens follow
   * each other too closely (a pause of 1 s that doubles up to 30 s), and then the token stays.
   */
  rejectAccessToken(client: Name, token: AccessToken, options?: TokenParameters): Promise<boolean>
  /** Forgets every token of the client, or of all clients, that this process used: here and in the store. */
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

/**
 * Makes a token manager: one for a process is the usual number.
 *
 * @throws ConfigurationError naming every problem of every client
 */
export function createTokenManager(
  options: TokenManagerOptions & { resolveClient: NonNullable<TokenManagerOptions['resolveClient']> },
): TokenManager
export function createTokenManager<const Name extends string>(options: TokenManagerOptions<Name>): TokenManager<Name>
export function createTokenManager(options: TokenManagerOptions): TokenManager {
  return new DefaultTokenManager(options)
}

const DEFAULTS = { timeoutMs: 10_000, expirationBufferMs: 60_000, defaultLifetimeMs: 300_000 }
const FOREVER_MS = Number.MAX_SAFE_INTEGER

class DefaultTokenManager implements TokenManager {
  readonly #events: EventEmitter
  readonly #cache: TokenCache
  readonly #clients: ClientRegistry
  /** The keys of identities seen before, because SHA-256 costs more than all the rest of a cached call. */
  readonly #keys: MemoryStore<Promise<string>>

  constructor(options: TokenManagerOptions) {
    const problems = new Problems()
    if (!new OptionChecks(problems).object('options', options)) problems.throwIfAny()
    checkOptions(new OptionChecks(problems), options)
    const { clock = systemClock, random = Math.random, maxEntries = 10_000, storeTimeoutMs = 250, store } = options
    const { timeoutMs, expirationBufferMs, defaultLifetimeMs } = options
    this.#events = new EventEmitter(options.logger)
    this.#clients = new ClientRegistry({
      definitions: options.clients ?? {},
      resolve: options.resolveClient,
      defaults: {
        timeoutMs: timeoutMs ?? DEFAULTS.timeoutMs,
        expirationBufferMs: expirationBufferMs ?? DEFAULTS.expirationBufferMs,
        defaultLifetimeMs: defaultLifetimeMs ?? DEFAULTS.defaultLifetimeMs,
        requester: options.requester ?? clientCredentials(clock),
      },
      maxEntries,
      problems,
      source: { clock, random, emit: this.#events.emit },
    })
    problems.throwIfAny()
    this.#keys = memoryStore({ maxEntries })
    const { emit } = this.#events
    const shared = store && new StoreAccess(store, clock, storeTimeoutMs, emit)
    this.#cache = options.cache ?? new FreshTokenCache({ clock, random, emit, maxEntries, store: shared })
  }

  async getAccessToken(name: string, options: GetAccessTokenOptions = {}): Promise<AccessToken> {
    const { client, requested, key } = await this.#locate(name, options)
    const { forceRenewal, minValidityMs, signal, clientAssertion } = options
    return this.#cache.get(key, {
      client: name,
      loader: client.source.loader(requested, clientAssertion ?? client.configuration.clientAssertion),
      expirationBufferMs: client.configuration.expirationBufferMs,
      minValidityMs,
      forceRenewal,
      signal,
    })
  }

  async deleteAccessToken(name: string, options: TokenParameters = {}): Promise<void> {
    const { key } = await this.#locate(name, options)
    await this.#cache.delete(key)
  }

  async rejectAccessToken(name: string, token: AccessToken, options: TokenParameters = {}): Promise<boolean> {
    const { key } = await this.#locate(name, options)
    return this.#cache.reject(key, token)
  }

  async clear(name?: string): Promise<void> {
    // The usual token of each client may be in the store though this process has not used it yet.
    const usual = (name === undefined ? this.#clients.names() : [name]).map((client) => this.deleteAccessToken(client))
    await Promise.all([this.#cache.clear(name), ...usual])
  }

  addClient<Added extends string>(name: Added, definition: ClientDefinitionSource): TokenManager {
    this.#clients.add(name, definition)
    return this
  }

  removeClient(name: string): void {
    if (this.#clients.remove(name)) this.#cache.forget(name)
  }

  on<Event extends keyof TokenEvents>(event: Event, listener: (event: TokenEvents[Event]) => void): Unsubscribe {
    return this.#events.on(event, listener)
  }

  close(): Promise<void> {
    return this.#cache.close()
  }

  toJSON(): object {
    return { clients: this.#clients.names() }
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `TokenManager { clients: ${JSON.stringify(this.#clients.names())} }`
  }

  async #locate(
    name: string,
    parameters: TokenParameters,
  ): Promise<{ client: ManagedClient; requested: RequestedToken; key: string }> {
    const client = await this.#clients.get(name)
    const requested = requestedToken(client.configuration, parameters)
    const identity = tokenIdentity(client.configuration, requested)
    let key = this.#keys.get(identity)
    if (key === undefined) {
      key = tokenKey(identity)
      this.#keys.set(identity, key, FOREVER_MS)
    }
    return { client, requested, key: await key }
  }
}

function checkOptions(checks: OptionChecks, options: TokenManagerOptions): void {
  if (options.clients !== undefined) checks.object('clients', options.clients)
  checks.function('resolveClient', options.resolveClient)
  checks.function('random', options.random)
  checks.methods('store', options.store, ['get', 'set', 'delete'])
  checks.methods('cache', options.cache, ['get', 'reject', 'delete', 'clear', 'forget', 'close'])
  checks.methods('requester', options.requester, ['request'])
  checks.methods('logger', options.logger, ['debug', 'info', 'warn', 'error'])
  checks.methods('clock', options.clock, ['now', 'monotonic', 'setTimeout'])
  for (const option of ['storeTimeoutMs', 'timeoutMs', 'defaultLifetimeMs'] as const) {
    checks.amount(option, options[option], 1)
  }
  checks.amount('expirationBufferMs', options.expirationBufferMs, 0)
  const { maxEntries } = options
  if (maxEntries !== undefined && !(Number.isSafeInteger(maxEntries) && maxEntries >= 1)) {
    checks.problem('maxEntries', `must be a whole number of at least 1, not ${String(maxEntries)}`)
  }
}
