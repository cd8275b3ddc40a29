import type { AccessToken } from '../../access-token'
import type { AcquisitionHook } from '../../acquisition'
import type { ClientDefinitionSource } from '../../client-definition'
import { systemClock } from '../../clock'
import type { TokenEvents, Unsubscribe } from '../../events'
import { clientCredentials } from '../../grants'
import type { KeepFreshCallback, KeepFreshOptions } from '../../keep-fresh'
import type { TokenCache } from '../../token-cache'
import type { TokenManager, TokenManagerOptions } from '../../token-manager'
import type { GetAccessTokenOptions, TokenParameters } from '../../token-parameters'
import type { DemandedStepUp, LimitedWork, ReceivedNonce } from '../../token-presenter'
import type { ManagerStatus } from '../../token-status'
import { ClientRegistry } from '../clients/client-registry'
import { AcquisitionHooks } from '../util/acquisition-hooks'
import { closedError } from '../util/closed-error'
import { EventEmitter } from '../util/event-emitter'
import { eventLog } from '../util/event-log'
import { Problems } from '../util/option-checks'
import { SharedTime } from '../util/shared-time'
import { suspendAwareClock } from '../util/suspend-aware-clock'
import { snapshotParameters } from '../util/token-parameters'
import { ApiRejections } from './api-rejections'
import { ClientAccess } from './client-access'
import { type CacheParts, createCache } from './create-cache'
import { type KeepFreshContext, keepFresh } from './keep-fresh'
import { checkManagerOptions, withDefaults } from './manager-options'
import { managerStatus } from './manager-status'
import { presentToken } from './present-token'
import { ReadyTokens } from './ready-tokens'
import { cacheOptions, RequestResolver } from './request-resolver'
import { revokeAll } from './revoke-all'
import { warmUp } from './warm-up'

type Args<Method extends 'rejectAccessToken' | 'presentAccessToken'> = Parameters<TokenManager[Method]>

/** The default token manager. It brings a client, a call's options and the cache together. */
export class DefaultTokenManager implements TokenManager {
  readonly #events: EventEmitter
  readonly #hooks = new AcquisitionHooks()
  readonly #cache: TokenCache
  readonly #parts: CacheParts
  readonly #clients: ClientRegistry
  readonly #access: ClientAccess
  readonly #ready: ReadyTokens
  readonly #revokeOnClose: boolean
  readonly #keepFresh: KeepFreshContext
  readonly #rejections: ApiRejections
  /** New calls are refused from then on, while a revocation may still need its client. */
  #isClosed = false
  /** Aborts when the manager is closed. */
  readonly #closing = new AbortController()

  constructor(options: TokenManagerOptions) {
    const problems = new Problems()
    checkManagerOptions(problems, options)
    const { clock: given = systemClock, random = Math.random, maxEntries = 10_000 } = options
    const { storeTimeoutMs, localLifetimeMs, ...defaults } = withDefaults(options)
    const clock = suspendAwareClock(given)
    const sharedTime = new SharedTime(clock)
    this.#events = new EventEmitter(options.logger && eventLog(options.logger))
    const { emit } = this.#events
    this.#rejections = new ApiRejections(emit, clock.monotonic)
    this.#revokeOnClose = options.revokeOnClose ?? false
    this.#clients = new ClientRegistry({
      definitions: options.clients ?? {},
      resolve: options.resolveClient,
      defaults,
      requester: options.requester ?? clientCredentials({ clock }),
      maxEntries,
      problems,
      source: { clock, random, emit, kept: (scope) => this.#parts.kept.of(scope) },
      serverTime: (milliseconds, roundTripMs) => sharedTime.observe(milliseconds, roundTripMs),
    })
    problems.throwIfAny()
    const closing = this.#closing.signal
    this.#access = new ClientAccess({ clients: this.#clients, requests: new RequestResolver(), clock, closing })
    const parts = { clock, sharedTime, random, events: this.#events, hooks: this.#hooks }
    this.#parts = createCache(options, { ...parts, maxEntries, storeTimeoutMs, localLifetimeMs })
    const { cache } = this.#parts
    this.#cache = cache
    this.#ready = new ReadyTokens(this.#clients, cache)
    const lookUp: KeepFreshContext['lookUp'] = async (name, call) => {
      const token = await this.#get(name, call, true)
      const { key } = await this.#access.resolve(name, call)
      return { token, idleMs: cache.idleMs?.(key) }
    }
    this.#keepFresh = { clock, random, events: this.#events, closing, lookUp }
  }

  getAccessToken(name: string, options?: GetAccessTokenOptions): Promise<AccessToken> {
    return this.#ready.find(name, options)?.promise ?? this.#get(name, options)
  }

  readyAccessToken(name: string, options?: GetAccessTokenOptions): AccessToken | undefined {
    return this.#ready.find(name, options)?.token
  }

  async #get(name: string, given: GetAccessTokenOptions = {}, keepsFresh = false): Promise<AccessToken> {
    this.#throwIfClosed(name)
    const known = this.#clients.ready(name)?.requests.find(given)
    // The caller may change its options while the definition is loaded.
    const options = known ? given : { ...snapshotParameters(given), signal: given.signal }
    const request = known ?? (await this.#access.resolve(name, options))
    this.#throwIfClosed(name)
    return this.#cache.get(request.key, cacheOptions(request, options, keepsFresh))
  }

  async deleteAccessToken(name: string, options: TokenParameters = {}): Promise<void> {
    const { key } = await this.#access.resolve(name, snapshotParameters(options))
    await this.#cache.delete(key)
  }

  async rejectAccessToken(...[name, token, options = {}, origin, rejection]: Args<'rejectAccessToken'>) {
    // Nothing to renew when the client was removed while its request was under way.
    if (!this.#clients.known().includes(name)) return false
    const { key } = await this.#access.resolve(name, snapshotParameters(options))
    const wasAccepted = this.#rejections.wasAccepted(token, origin)
    const willRenew = this.#cache.reject(key, token, { ...rejection, wasAccepted, origin })
    this.#rejections.note(token, origin)
    return willRenew
  }

  reportRejectedRetry(token: AccessToken, origin: string): void {
    this.#rejections.note(token, origin)
  }

  reportStepUp(name: string, demanded: DemandedStepUp): void {
    this.#events.emit('stepUpDemanded', { client: name, ...demanded })
  }

  followResourceMetadata(name: string, url: URL): Promise<boolean> {
    // Its tokens come from the authorization server that the API does not use any more.
    return this.#clients.reread(name, url, () => this.#forget(name))
  }

  acceptAccessToken(token: AccessToken, origin: string): void {
    this.#rejections.accept(token, origin)
  }

  async presentAccessToken(...[name, token, request]: Args<'presentAccessToken'>): Promise<Record<string, string>> {
    return presentToken(() => this.#clients.ready(name) ?? this.#access.client(name), token, request)
  }

  async rememberNonce(name: string, { url, nonce, willRetry }: ReceivedNonce): Promise<void> {
    // A removed client has no use for the nonce, and the API's response must not be lost for that.
    this.#clients.ready(name)?.dpop?.rememberNonce(url, nonce)
    if (willRetry) this.#events.emit('nonceRetried', { client: name, at: 'api' })
  }

  allowsInsecureRequests(name: string): boolean | undefined {
    return this.#clients.ready(name)?.configuration.allowInsecureRequests
  }

  waitFor<T>(work: LimitedWork<T>): Promise<T> {
    return this.#access.waitFor(work)
  }

  async clear(name?: string): Promise<void> {
    if (name !== undefined) return this.#clear(name)
    const clearing = this.#clients.known().map((client) => this.#clear(client))
    // A client whose definition cannot be loaded has no tokens here, and does not keep the others from being cleared.
    await Promise.allSettled([...clearing, this.#cache.clear()])
  }

  async #clear(name: string): Promise<void> {
    const { key, group } = await this.#access.resolve(name, {})
    // A store without groups may hold the client's default token, though this process has not used it yet.
    await Promise.all([this.#cache.clear(name, group), this.#cache.delete(key)])
  }

  async revoke(name: string): Promise<boolean> {
    const { source } = await this.#access.client(name)
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
    if (this.#clients.remove(name)) this.#forget(name)
  }

  #forget(name: string): void {
    this.#ready.forgetLast()
    this.#cache.forget(name)
  }

  async warmUp(names: readonly string[] = this.#clients.names()): Promise<void> {
    await warmUp(names, (name) => this.#get(name, {}, true))
  }

  keepFresh(name: string, callback: KeepFreshCallback, options: KeepFreshOptions = {}): Unsubscribe {
    this.#throwIfClosed(name)
    const client = this.#clients.get(name)
    // The first look-up waits for a definition that is loaded late, and gets its error.
    if (client instanceof Promise) client.catch(() => {})
    return keepFresh(this.#keepFresh, name, client instanceof Promise ? undefined : client, callback, options)
  }

  status(): ManagerStatus {
    const isClosed = this.#isClosed
    return managerStatus({ isClosed, clients: this.#clients, cache: this.#cache, storeHealth: this.#parts.storeHealth })
  }

  aroundAcquisition(hook: AcquisitionHook): Unsubscribe {
    return this.#hooks.add(hook)
  }

  on<Event extends keyof TokenEvents>(event: Event, listener: (event: TokenEvents[Event]) => void): Unsubscribe {
    return this.#events.on(event, listener)
  }

  async close(): Promise<void> {
    if (!this.#closing.signal.aborted) {
      this.#isClosed = true
      this.#ready.close()
      const holders = () => this.#clients.known().filter((name) => this.#cache.held(name).length > 0)
      if (this.#revokeOnClose) await revokeAll(holders, (name) => this.revoke(name))
      this.#closing.abort()
    }
    await this.#parts.close()
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
}
