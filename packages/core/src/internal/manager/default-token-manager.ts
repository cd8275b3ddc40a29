import type { AccessToken } from '../../access-token'
import type { ClientDefinitionSource } from '../../client-definition'
import { systemClock } from '../../clock'
import { ConfigurationError, TokenRequestError } from '../../errors'
import type { TokenEvents, Unsubscribe } from '../../events'
import { clientCredentials } from '../../grants'
import type { TokenCache } from '../../token-cache'
import type { TokenManager, TokenManagerOptions } from '../../token-manager'
import type { GetAccessTokenOptions, TokenParameters } from '../../token-parameters'
import type { LimitedWork, PresentedRequest, ReceivedNonce } from '../../token-presenter'
import { FreshTokenCache } from '../cache/fresh-token-cache'
import { ClientRegistry, type ManagedClient } from '../clients/client-registry'
import { StoreLookup } from '../store/lookup'
import { StoreAccess } from '../store/store-access'
import { untilAborted } from '../util/abort'
import { authorizationHeader } from '../util/authorization-header'
import { closedError } from '../util/closed-error'
import { EventEmitter } from '../util/event-emitter'
import { Problems } from '../util/option-checks'
import { SharedTime } from '../util/shared-time'
import { suspendAwareClock } from '../util/suspend-aware-clock'
import { withLimit } from '../util/time-limit'
import { snapshotParameters } from '../util/token-parameters'
import { checkManagerOptions, withDefaults } from './manager-options'
import { RequestResolver, type ResolvedRequest } from './request-resolver'

/** A lease outlives the token request that it is for, but only a little: other processes wait for it when its holder dies. */
const LEASE_MARGIN_MS = 1_000

/** The default token manager. It brings a client, a call's options and the cache together. */
export class DefaultTokenManager implements TokenManager {
  readonly #events: EventEmitter
  readonly #cache: TokenCache
  readonly #clients: ClientRegistry
  readonly #clock: ReturnType<typeof suspendAwareClock>
  readonly #requests: RequestResolver
  readonly #revokeOnClose: boolean
  /** The origins of the APIs that have accepted a token. */
  readonly #accepted = new WeakMap<AccessToken, Set<string>>()
  /** New calls are refused from then on, while a revocation may still need its client. */
  #isClosed = false
  /** Aborts when the manager is closed. */
  readonly #closing = new AbortController()

  constructor(options: TokenManagerOptions) {
    const problems = new Problems()
    checkManagerOptions(problems, options)
    const { clock: given = systemClock, random = Math.random, maxEntries = 10_000, store } = options
    const { storeTimeoutMs, localLifetimeMs, ...defaults } = withDefaults(options)
    const clock = suspendAwareClock(given)
    const sharedTime = new SharedTime(clock)
    this.#clock = clock
    this.#events = new EventEmitter(options.logger)
    const { emit } = this.#events
    this.#revokeOnClose = options.revokeOnClose ?? false
    this.#clients = new ClientRegistry({
      definitions: options.clients ?? {},
      resolve: options.resolveClient,
      defaults,
      requester: options.requester ?? clientCredentials({ clock }),
      maxEntries,
      problems,
      source: { clock, random, emit },
      serverTime: (milliseconds) => sharedTime.observe(milliseconds),
    })
    problems.throwIfAny()
    this.#requests = new RequestResolver(maxEntries)
    const access = store && new StoreAccess({ store, clock, sharedTime, timeoutMs: storeTimeoutMs, emit })
    const cacheStore = access && { access, lookup: new StoreLookup(access, clock, random) }
    this.#cache =
      options.cache ?? new FreshTokenCache({ clock, random, emit, maxEntries, store: cacheStore, localLifetimeMs })
  }

  async getAccessToken(name: string, given: GetAccessTokenOptions = {}): Promise<AccessToken> {
    this.#throwIfClosed(name)
    const client = this.#clients.ready(name)
    const known = client && this.#requests.known(client, given)
    // The caller may change its options while the definition is loaded.
    const options = known ? given : { ...snapshotParameters(given), signal: given.signal }
    const request = known ?? (await this.#resolve(name, options))
    this.#throwIfClosed(name)
    const { forceRenewal, minValidityMs, signal, clientAssertion } = options
    const { key, group, endpointKey, requested } = request
    const { configuration, source, dpop } = request.client
    return this.#cache.get(key, {
      client: name,
      isBound: dpop !== undefined,
      group,
      endpointKey,
      loader: source.loader(key, requested, clientAssertion ?? configuration.clientAssertion),
      expirationBufferMs: configuration.expirationBufferMs,
      leaseMs: configuration.timeoutMs + LEASE_MARGIN_MS,
      minValidityMs,
      forceRenewal,
      signal,
    })
  }

  async deleteAccessToken(name: string, options: TokenParameters = {}): Promise<void> {
    const { key } = await this.#resolve(name, snapshotParameters(options))
    await this.#cache.delete(key)
  }

  async rejectAccessToken(
    name: string,
    token: AccessToken,
    options: TokenParameters = {},
    origin?: string,
  ): Promise<boolean> {
    // Nothing to renew when the client was removed while its request was under way.
    if (!this.#clients.known().includes(name)) return false
    const { key } = await this.#resolve(name, snapshotParameters(options))
    const wasAccepted = origin !== undefined && this.#accepted.get(token)?.has(origin)
    return this.#cache.reject(key, token, { wasAccepted })
  }

  acceptAccessToken(token: AccessToken, origin: string): void {
    const origins = this.#accepted.get(token)
    if (origins) origins.add(origin)
    else this.#accepted.set(token, new Set([origin]))
  }

  async presentAccessToken(
    name: string,
    token: AccessToken,
    { method, url, proofClaims }: PresentedRequest,
  ): Promise<Record<string, string>> {
    const authorization = authorizationHeader(token)
    if (token.type !== 'DPoP') return { authorization }
    const { dpop } = await this.#client(name)
    if (!dpop) {
      const message = 'is not set, so that no proof can be made for a DPoP token'
      throw new ConfigurationError([{ client: name, option: 'dpop', message }])
    }
    const proof = await dpop.prove({ method, url, accessToken: token.value, claims: proofClaims })
    return { authorization, dpop: proof }
  }

  async rememberNonce(name: string, { url, nonce, willRetry }: ReceivedNonce): Promise<void> {
    // A removed client has no use for the nonce, and the API's response must not be lost for that.
    this.#clients.ready(name)?.dpop?.rememberNonce(url, nonce)
    if (willRetry) this.#events.emit('nonceRetried', { client: name, at: 'api' })
  }

  allowsInsecureRequests(name: string): boolean | undefined {
    return this.#clients.ready(name)?.configuration.allowInsecureRequests
  }

  async waitFor<T>({ client: name, step, signal, run }: LimitedWork<T>): Promise<T> {
    const { timeoutMs } = (await this.#client(name, signal)).configuration
    const timeout = () => {
      const errorDescription = `${step}: no result within ${timeoutMs} ms`
      return new TokenRequestError({ client: name, error: 'timeout', errorDescription, retryable: true })
    }
    const limited = withLimit(this.#clock, timeoutMs, timeout, async () => run(), this.#closing.signal)
    return this.#untilClosed(name, limited, signal)
  }

  async clear(name?: string): Promise<void> {
    if (name !== undefined) return this.#clear(name)
    const clearing = this.#clients.known().map((client) => this.#clear(client))
    // A client whose definition cannot be loaded has no tokens here, and does not keep the others from being cleared.
    await Promise.allSettled([...clearing, this.#cache.clear()])
  }

  async #clear(name: string): Promise<void> {
    const { key, group } = await this.#resolve(name, {})
    // A store without groups may hold the client's default token, though this process has not used it yet.
    await Promise.all([this.#cache.clear(name, group), this.#cache.delete(key)])
  }

  async revoke(name: string): Promise<boolean> {
    const { source } = await this.#client(name)
    const held = this.#cache.held(name)
    await this.#clear(name)
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
    if (!this.#closing.signal.aborted) {
      this.#isClosed = true
      if (this.#revokeOnClose) await this.#revokeAll()
      this.#closing.abort()
    }
    await this.#cache.close()
  }

  async #revokeAll(): Promise<void> {
    // A token that arrives during the revocation is revoked in the next round. There are few: new calls are refused.
    for (let round = 1; round <= 3; round++) {
      const holders = this.#clients.known().filter((name) => this.#cache.held(name).length > 0)
      if (holders.length === 0) return
      // A token that cannot be revoked expires by itself. It does not keep the manager open.
      await Promise.allSettled(holders.map((name) => this.revoke(name)))
    }
  }

  #throwIfClosed(name: string): void {
    if (this.#isClosed) throw closedError(name)
  }

  toJSON(): object {
    return { clients: this.#clients.names() }
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `TokenManager { clients: ${JSON.stringify(this.#clients.names())} }`
  }

  /** The client. The wait for a late definition ends with the signal, and when the manager is closed. */
  async #client(name: string, signal?: AbortSignal): Promise<ManagedClient> {
    const client = this.#clients.get(name)
    return client instanceof Promise ? this.#untilClosed(name, client, signal) : client
  }

  async #untilClosed<T>(name: string, work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    try {
      return await untilAborted(work, signal, this.#closing.signal)
    } catch (error) {
      throw error === this.#closing.signal.reason ? closedError(name) : error
    }
  }

  async #resolve(name: string, call: GetAccessTokenOptions): Promise<ResolvedRequest> {
    const client = await this.#client(name, call.signal)
    const limit = <T>(run: () => Promise<T>) => this.waitFor({ client: name, step: 'key', signal: call.signal, run })
    return this.#requests.resolve(client, call, limit)
  }
}
