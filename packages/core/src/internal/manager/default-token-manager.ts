import { type MemoryStore, memoryStore } from '@tokenward/store-memory'
import type { AccessToken } from '../../access-token'
import type { ClientDefinitionSource } from '../../client-definition'
import { systemClock } from '../../clock'
import { ConfigurationError } from '../../errors'
import type { TokenEvents, Unsubscribe } from '../../events'
import { clientCredentials } from '../../grants'
import type { TokenCache } from '../../token-cache'
import type { TokenManager, TokenManagerOptions } from '../../token-manager'
import type { GetAccessTokenOptions, TokenParameters } from '../../token-parameters'
import type { LimitedWork, PresentedRequest, ReceivedNonce } from '../../token-presenter'
import type { RequestedToken } from '../../token-requester'
import { FreshTokenCache } from '../cache/fresh-token-cache'
import { ClientRegistry, type ManagedClient } from '../clients/client-registry'
import { clientIdentity, requestedToken, tokenIdentity, tokenKey } from '../clients/resolved-request'
import { StoreAccess } from '../store/store-access'
import { untilAborted } from '../util/abort'
import { authorizationHeader } from '../util/authorization-header'
import { EventEmitter } from '../util/event-emitter'
import { OptionChecks, Problems } from '../util/option-checks'

const DEFAULTS = { timeoutMs: 10_000, expirationBufferMs: 60_000, defaultLifetimeMs: 300_000, localLifetimeMs: 60_000 }
/** A lease outlives the token request that it is for, and not by much: who died holding it is waited for. */
const LEASE_MARGIN_MS = 1_000
const FOREVER_MS = Number.MAX_SAFE_INTEGER

interface Located {
  readonly client: ManagedClient
  readonly requested: RequestedToken
  readonly key: string
  readonly group: string
}

/** The one implementation: it brings a client, what a call asks for, and the cache together. */
export class DefaultTokenManager implements TokenManager {
  readonly #events: EventEmitter
  readonly #cache: TokenCache
  readonly #clients: ClientRegistry
  /** The keys of identities seen before, because SHA-256 costs more than all the rest of a cached call. */
  readonly #keys: MemoryStore<Promise<string>>
  readonly #usual = new WeakMap<ManagedClient, Located>()
  readonly #revokeOnClose: boolean
  /** Tokens that an API has accepted: their rejection is not that of a brand-new token. */
  readonly #accepted = new WeakSet<AccessToken>()
  #closed = false

  constructor(options: TokenManagerOptions) {
    const problems = new Problems()
    if (!new OptionChecks(problems).object('options', options)) problems.throwIfAny()
    checkOptions(new OptionChecks(problems), options)
    const { clock = systemClock, random = Math.random, maxEntries = 10_000, storeTimeoutMs = 250, store } = options
    const { timeoutMs, expirationBufferMs, defaultLifetimeMs, localLifetimeMs = DEFAULTS.localLifetimeMs } = options
    this.#events = new EventEmitter(options.logger)
    this.#revokeOnClose = options.revokeOnClose ?? false
    this.#clients = new ClientRegistry({
      definitions: options.clients ?? {},
      resolve: options.resolveClient,
      defaults: {
        timeoutMs: timeoutMs ?? DEFAULTS.timeoutMs,
        expirationBufferMs: expirationBufferMs ?? DEFAULTS.expirationBufferMs,
        defaultLifetimeMs: defaultLifetimeMs ?? DEFAULTS.defaultLifetimeMs,
      },
      requester: options.requester ?? clientCredentials({ clock }),
      maxEntries,
      problems,
      source: { clock, random, emit: this.#events.emit },
    })
    problems.throwIfAny()
    this.#keys = memoryStore({ maxEntries })
    const { emit } = this.#events
    const shared = store && new StoreAccess({ store, clock, random, timeoutMs: storeTimeoutMs, emit })
    this.#cache =
      options.cache ?? new FreshTokenCache({ clock, random, emit, maxEntries, store: shared, localLifetimeMs })
  }

  async getAccessToken(name: string, options: GetAccessTokenOptions = {}): Promise<AccessToken> {
    const { client, requested, key, group } = this.#usualOf(name, options) ?? (await this.#locate(name, options))
    const { forceRenewal, minValidityMs, signal, clientAssertion } = options
    return this.#cache.get(key, {
      client: name,
      group,
      loader: client.source.loader(key, requested, clientAssertion ?? client.configuration.clientAssertion),
      expirationBufferMs: client.configuration.expirationBufferMs,
      leaseMs: client.configuration.timeoutMs + LEASE_MARGIN_MS,
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

  acceptAccessToken(token: AccessToken): void {
    this.#accepted.add(token)
  }

  async presentAccessToken(
    name: string,
    token: AccessToken,
    { method, url, proofClaims }: PresentedRequest,
  ): Promise<Record<string, string>> {
    const authorization = authorizationHeader(token)
    if (token.type !== 'DPoP') return { authorization }
    const { dpop } = await this.#clients.get(name)
    if (!dpop) {
      const message = 'is not set, so that no proof can be made for a DPoP token'
      throw new ConfigurationError([{ client: name, option: 'dpop', message }])
    }
    const proof = await dpop.prove({ method, url, accessToken: token.value, claims: proofClaims })
    return { authorization, dpop: proof }
  }

  async rememberNonce(name: string, { url, nonce, willRetry }: ReceivedNonce): Promise<void> {
    // A removed client has no use for the nonce, and the API's response must not be lost for that.
    const client = this.#clients.ready(name)
    client?.dpop?.rememberNonce(url, nonce)
    if (willRetry) this.#events.emit('nonceRetried', { client: name, at: 'api' })
  }

  allowsInsecureRequests(name: string): boolean | undefined {
    return this.#clients.ready(name)?.configuration.allowInsecureRequests
  }

  async waitFor<T>({ client: name, signal, run }: LimitedWork<T>): Promise<T> {
    await this.#clients.get(name)
    return untilAborted((async () => run())(), signal)
  }

  async clear(name?: string): Promise<void> {
    if (name !== undefined) return this.#clear(name)
    await Promise.all([this.#cache.clear(), ...this.#clients.known().map((client) => this.#clear(client))])
  }

  async #clear(name: string): Promise<void> {
    const { key, group } = await this.#locate(name, {})
    // The usual token may be in a store that knows no groups, though this process has not used it yet.
    await Promise.all([this.#cache.clear(name, group), this.#cache.delete(key)])
  }

  async revoke(name: string): Promise<boolean> {
    const { source } = await this.#clients.get(name)
    const held = this.#cache.held(name)
    await this.clear(name)
    const revoked = await Promise.all(held.map(({ value }) => source.revoke(value)))
    return revoked.length > 0 && revoked.every(Boolean)
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

  async close(): Promise<void> {
    if (this.#revokeOnClose && !this.#closed) {
      const known = this.#clients.names().filter((name) => this.#cache.held(name).length > 0)
      // A token that cannot be revoked ends by itself; it is no reason to stay open.
      await Promise.allSettled(known.map((name) => this.revoke(name)))
    }
    this.#closed = true
    await this.#cache.close()
  }

  toJSON(): object {
    return { clients: this.#clients.names() }
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `TokenManager { clients: ${JSON.stringify(this.#clients.names())} }`
  }

  /** Where the token of a call is that asks for nothing of its own, if such a call was made before: the usual case. */
  #usualOf(name: string, call: TokenParameters): Located | undefined {
    const client = asksForItsOwn(call) ? undefined : this.#clients.ready(name)
    return client && this.#usual.get(client)
  }

  async #locate(name: string, parameters: TokenParameters): Promise<Located> {
    const client = await this.#clients.get(name)
    const requested = requestedToken(client.configuration, parameters)
    const thumbprint = client.dpop && (await client.dpop.thumbprint())
    const identity = tokenIdentity(client.configuration, requested, thumbprint)
    const [key, group] = await Promise.all([this.#keyOf(identity), this.#keyOf(clientIdentity(client.configuration))])
    const located = { client, requested, key, group }
    if (!asksForItsOwn(parameters)) this.#usual.set(client, located)
    return located
  }

  #keyOf(identity: string): Promise<string> {
    let key = this.#keys.get(identity)
    if (key === undefined) {
      key = tokenKey(identity)
      this.#keys.set(identity, key, FOREVER_MS)
    }
    return key
  }
}

/** Whether a call asks for another token than the definition does, or for anything that has to be checked. */
function asksForItsOwn(call: TokenParameters): boolean {
  const { scope, resource, audience, parameters, minValidityMs, clientAssertion } = call
  return (scope ?? resource ?? audience ?? parameters ?? minValidityMs ?? clientAssertion) !== undefined
}

function checkOptions(checks: OptionChecks, options: TokenManagerOptions): void {
  if (options.clients !== undefined) checks.object('clients', options.clients)
  checks.function('resolveClient', options.resolveClient)
  checks.function('random', options.random)
  checks.boolean('revokeOnClose', options.revokeOnClose)
  checks.methods('store', options.store, ['get', 'set', 'delete'])
  checks.methods('cache', options.cache, ['get', 'reject', 'delete', 'clear', 'held', 'forget', 'close'])
  checks.methods('requester', options.requester, ['request'])
  checks.methods('logger', options.logger, ['debug', 'info', 'warn', 'error'])
  checks.methods('clock', options.clock, ['now', 'monotonic', 'setTimeout'])
  for (const option of ['storeTimeoutMs', 'timeoutMs', 'defaultLifetimeMs'] as const) {
    checks.amount(option, options[option], 1)
  }
  for (const option of ['expirationBufferMs', 'localLifetimeMs'] as const) checks.amount(option, options[option], 0)
  const { maxEntries } = options
  if (maxEntries !== undefined && !(Number.isSafeInteger(maxEntries) && maxEntries >= 1)) {
    checks.problem('maxEntries', `must be a whole number of at least 1, not ${String(maxEntries)}`)
  }
}
