import {
  type AccessToken,
  createRequestAuthorizer,
  createTokenManager,
  type RequestAuthorizer,
  refreshToken,
  type StoreLease,
  type TokenManager,
  type TokenStore,
} from '@tokenward/core'
import { redisStore } from '@tokenward/store-redis'
import type { AuthorizationServer } from './authorization-server'
import { KEPT_LEASE_MARGIN_MS } from './bounds'
import { REFRESH_MARK } from './grants'
import type { Call, CallOptions, Invariants, Key, KeyState } from './invariants'
import type { ProtectedApi } from './protected-api'
import type { Random } from './random'
import type { Scenario } from './scenario'
import { MachineClock, processClock } from './simulated-clock'
import type { StoreNetwork } from './store-network'
import type { Host, World } from './world'

export interface ProcessParts {
  readonly world: World
  readonly scenario: Scenario
  readonly keys: readonly Key[]
  readonly server: AuthorizationServer
  readonly network: StoreNetwork
  readonly api: ProtectedApi
  readonly invariants: Invariants
  /** The secret of a client, as processes know it. */
  readonly secretOf: (client: string) => string
  /** The first refresh token of a client, as processes know it. Undefined: the client uses none. */
  readonly firstTokenOf: (client: string) => string | undefined
  /** Told which process runs now. */
  readonly enter: (process: SimulatedProcess) => void
}

/** A lease as short as this is a process's turn to probe an endpoint that is down. */
const TURN_MS = 1_000

interface Deferred {
  readonly isTimer: boolean
  readonly run: () => void
}

/** One process of the fleet: a real token manager over a real Redis store, with simulated clocks and connections. */
export class SimulatedProcess implements Host {
  readonly name: string
  readonly index: number
  readonly clock: MachineClock
  calls = 0
  readonly #parts: ProcessParts
  readonly #random: Random
  /** Counts the starts. What belongs to an earlier start does not run any more. */
  #incarnation = 0
  #isAlive = false
  #pauses = 0
  #deferred: Deferred[] = []
  #pausedMs = 0
  #pausedAt = 0
  #manager: TokenManager | undefined
  #authorizers = new Map<string, RequestAuthorizer>()
  #states = new Map<string, KeyState>()
  readonly #pending = new Set<Call>()

  constructor(index: number, parts: ProcessParts) {
    this.index = index
    this.name = `p${index}`
    this.#parts = parts
    this.#random = parts.world.random.fork(`process ${index}`)
    this.clock = new MachineClock(parts.world.scheduler)
    if (parts.scenario.sabotage === 'slowClock') this.clock.slowDown(0.5)
  }

  start(): void {
    // Two faults that overlap can both start it again.
    if (this.#isAlive) return
    this.#incarnation++
    this.#isAlive = true
    this.#states = new Map()
    this.#authorizers = new Map()
    this.#parts.enter(this)
    this.#manager = this.#createManager()
    this.#parts.world.log.note(`${this.name} starts`)
    if (this.#parts.scenario.traffic.callsAllAtStart) for (const key of this.#parts.keys) void this.#call(key, {})
    this.#scheduleVisit(this.#random.next())
  }

  /** Dies without a word: its timers and promises end, and nobody gets the replies to what it has sent. */
  crash(): void {
    this.#parts.world.log.note(`${this.name} dies`)
    this.#isAlive = false
    this.#incarnation++
    this.#deferred = []
    this.#pending.clear()
    this.#parts.server.forget(this)
  }

  pause(isSuspended: boolean): void {
    if (this.#pauses++ === 0) this.#pausedAt = this.#parts.world.scheduler.now
    if (isSuspended) this.clock.suspend()
    this.#parts.world.log.note(`${this.name} stops`)
  }

  resume(isSuspended: boolean): void {
    if (isSuspended) this.clock.resume()
    if (--this.#pauses > 0) return
    const { scheduler, log } = this.#parts.world
    this.#pausedMs += scheduler.now - this.#pausedAt
    log.note(`${this.name} goes on`)
    const timersFirst = this.#random.chance(0.5)
    const deferred = this.#deferred
    this.#deferred = []
    for (const isTimer of [timersFirst, !timersFirst]) {
      for (const each of deferred) {
        if (each.isTimer === isTimer) scheduler.in(0, () => this.#run(this.#incarnation, isTimer, each.run))
      }
    }
  }

  deliver(delayMs: number, receive: () => void): void {
    this.#schedule(delayMs, false, receive)
  }

  /** Calls that have not ended. */
  checkPending(): void {
    for (const call of this.#pending) this.#parts.invariants.pending(call)
  }

  async deleteToken(key: Key): Promise<void> {
    if (!this.#isAlive || this.#pauses > 0) return
    await this.#forget([key], () => this.#manager?.deleteAccessToken(key.client, parametersOf(key)))
  }

  async clear(client: string): Promise<void> {
    if (!this.#isAlive || this.#pauses > 0) return
    const keys = this.#parts.keys.filter((key) => key.client === client)
    await this.#forget(keys, () => this.#manager?.clear(client))
  }

  /** What other processes have to notice: the tokens of these keys that were issued before were deleted. */
  noteDeletion(keys: readonly Key[], before: number): void {
    const { now } = this.#parts.world.scheduler
    for (const key of keys) {
      const state = this.#state(key)
      state.deletion = { before, endedAt: now, noticedBy: Number.POSITIVE_INFINITY }
      state.fineUntil = 0
      state.known = undefined
    }
  }

  onDeleted: (keys: readonly Key[], before: number) => void = () => {}

  async #forget(keys: readonly Key[], forget: () => Promise<void> | undefined): Promise<void> {
    const { world, scenario } = this.#parts
    this.#parts.enter(this)
    const startedAt = world.scheduler.now
    const incarnation = this.#incarnation
    for (const key of keys) this.#state(key).known = undefined
    if (scenario.sabotage !== 'ignoreDeletions') await forget()
    if (incarnation !== this.#incarnation) return
    for (const key of keys) {
      const state = this.#state(key)
      state.forgottenAt = startedAt
      state.known = undefined
      state.fineUntil = 0
    }
    world.log.note(`${this.name} deleted ${keys.map(({ id }) => id).join(', ')}`)
    this.onDeleted(keys, startedAt)
  }

  #createManager(): TokenManager {
    const { scenario, network, server, secretOf, firstTokenOf } = this.#parts
    const { hasStore, ...options } = scenario.options
    const random = this.#random.fork(this.#incarnation)
    const fetch = server.connect(this)
    const client = (name: string) => ({
      tokenEndpoint: 'https://as.example/token',
      clientId: name,
      clientSecret: () => secretOf(name),
      fetch,
      ...(firstTokenOf(name) !== undefined && {
        // Without a subject, a process would keep the key of its first consent, and others would not find its tokens.
        requester: refreshToken({ refreshToken: () => firstTokenOf(name) ?? '', subject: name }),
      }),
    })
    const names = server.clients.map(({ name }) => name)
    return createTokenManager({
      clients: Object.fromEntries(names.map((name) => [name, client(name)])),
      clock: processClock(this.clock, (delayMs, callback) => this.#setTimer(delayMs, callback)),
      random: random.next,
      // Less memory for thousands of managers.
      maxEntries: Math.max(50, 2 * this.#parts.keys.length),
      ...options,
      ...(hasStore && { store: this.#sabotaged(redisStore(network.connect(this))) }),
    })
  }

  #sabotaged(store: Required<TokenStore>): TokenStore {
    const { scenario } = this.#parts
    const connection = this.#parts.network.connect(this)
    switch (scenario.sabotage) {
      case 'leaseForAll':
        return {
          ...store,
          lease: (key) => ({ lease: unsafeLease(store, key) }),
        }
      case 'outOfTurn':
        return {
          ...store,
          lease: (key, leaseMs, ...rest) => (leaseMs > TURN_MS ? store.lease(key, leaseMs, ...rest) : { value: '' }),
        }
      case 'tokenInScript':
        return {
          ...store,
          async set(key, value, ttlMs) {
            await connection.eval('return 1', 1, key, value, String(ttlMs))
          },
          async lease(key, leaseMs) {
            const { lease } = (await store.lease(key, leaseMs)) ?? {}
            if (!lease) return undefined
            const commit = async (value: string) => {
              await connection.eval('return 1', 1, key, value)
              return true
            }
            return { lease: { ...lease, commit } }
          },
        }
      case 'hideRefreshTokens':
        return {
          ...store,
          async lease(key, ...rest) {
            const result = await store.lease(key, ...rest)
            return result?.value?.includes(REFRESH_MARK) ? { lease: unsafeLease(store, key) } : result
          },
        }
      case 'dropRefreshTokens':
        return {
          ...store,
          async lease(key, ...rest) {
            const result = await store.lease(key, ...rest)
            if (!result?.lease) return result
            const { lease } = result
            const commit: StoreLease['commit'] = async (value, ...more) => {
              if (!value.includes(REFRESH_MARK)) return lease.commit(value, ...more)
              await lease.release()
              return true
            }
            return { ...result, lease: { ...lease, commit } }
          },
        }
      case 'refreshLeaseForAll':
        return {
          ...store,
          async lease(key, leaseMs, staleValue, group) {
            const isForRefreshToken = leaseMs === scenario.options.timeoutMs + KEPT_LEASE_MARGIN_MS
            if (!isForRefreshToken) return store.lease(key, leaseMs, staleValue, group)
            const value = await store.get(key)
            return value === undefined || value === staleValue ? { lease: unsafeLease(store, key) } : { value }
          },
        }
      default:
        return store
    }
  }

  #setTimer(delayMs: number, callback: () => void): () => void {
    if (this.#parts.scenario.sabotage === 'noTimers' && delayMs > 20) return () => {}
    return this.#schedule(delayMs, true, callback)
  }

  #schedule(delayMs: number, isTimer: boolean, run: () => void): () => void {
    const incarnation = this.#incarnation
    return this.#parts.world.scheduler.in(delayMs, () => this.#run(incarnation, isTimer, run))
  }

  #run(incarnation: number, isTimer: boolean, run: () => void): void {
    if (!this.#isAlive || incarnation !== this.#incarnation) return
    if (this.#pauses > 0) {
      this.#deferred.push({ isTimer, run })
      return
    }
    this.#parts.enter(this)
    run()
  }

  readonly #ran = (): number => {
    const { now } = this.#parts.world.scheduler
    return now - this.#pausedMs - (this.#pauses > 0 ? now - this.#pausedAt : 0)
  }

  #state(key: Key): KeyState {
    let state = this.#states.get(key.id)
    if (!state) {
      state = {
        token: undefined,
        promise: undefined,
        fineUntil: 0,
        known: undefined,
        forgottenAt: 0,
        rejected: undefined,
        deletion: undefined,
      }
      this.#states.set(key.id, state)
    }
    return state
  }

  #scheduleVisit(share: number): void {
    this.deliver(this.#parts.scenario.traffic.visitEveryMs * 2 * share, () => {
      this.#visit()
      this.#scheduleVisit(this.#random.next())
    })
  }

  /** Some callers come at the same time. */
  #visit(): void {
    const { keys, scenario } = this.#parts
    const random = this.#random
    const key = random.pick(keys)
    const { callsPerVisit } = scenario.traffic
    const kind = scenario.traffic.isDemanding ? random.next() : 0.2 + 0.8 * random.next()
    if (kind < 0.015) void this.#call(key, { forceRenewal: true })
    else if (kind < 0.04) void this.#call(key, { minValidityMs: random.magnitude(100, 600_000) })
    else if (kind < 0.13) void this.#abortedCall(key, random.magnitude(1, 3_000))
    else if (kind < 0.35) void this.#callApi(key)
    else if (kind < 0.45) for (let caller = 0; caller < 8; caller++) void this.#call(key, {})
    else if (key.tenant === '') void this.#callRepeatedly(key, callsPerVisit)
    else void this.#call(key, {})
  }

  #begin(key: Key, options: CallOptions): Call {
    const { now } = this.#parts.world.scheduler
    const state = this.#state(key)
    const call = {
      who: this.name,
      key,
      state,
      options,
      startedAt: now,
      knownBefore: state.known,
      ranBefore: this.#ran(),
      ran: this.#ran,
    }
    this.#pending.add(call)
    return call
  }

  /** One call after another, as fast as they come. Nearly all of them get the token that the one before got. */
  async #callRepeatedly(key: Key, count: number): Promise<void> {
    const { scheduler } = this.#parts.world
    const { invariants, scenario } = this.#parts
    const manager = this.#manager
    const incarnation = this.#incarnation
    const call = this.#begin(key, {})
    const { state } = call
    if (!manager) return
    if (scenario.sabotage) count = Math.min(count, 3)
    try {
      for (let number = 0; number < count; number++) {
        this.calls++
        const { now } = scheduler
        const promise = scenario.sabotage ? this.#get(manager, key, undefined) : manager.getAccessToken(key.client)
        // It is known what this promise resolves to.
        if (promise === state.promise && now < state.fineUntil) continue
        const token = await promise
        state.promise = promise
        if (token === state.token && scheduler.now === now && now < state.fineUntil) continue
        if (incarnation !== this.#incarnation) return
        invariants.succeeded(call, token)
        call.startedAt = scheduler.now
        call.knownBefore = state.known
        call.ranBefore = this.#ran()
      }
    } catch (error) {
      if (incarnation === this.#incarnation) this.#fail(call, error, false)
    } finally {
      this.#pending.delete(call)
    }
  }

  async #call(key: Key, options: CallOptions, signal?: AbortSignal): Promise<AccessToken | undefined> {
    const manager = this.#manager
    if (!manager) return undefined
    const incarnation = this.#incarnation
    const call = this.#begin(key, options)
    this.calls++
    try {
      const token = await this.#get(manager, key, { ...parametersOf(key), ...options, signal })
      if (incarnation !== this.#incarnation) return undefined
      this.#parts.invariants.succeeded(call, token)
      return token
    } catch (error) {
      if (incarnation === this.#incarnation)
        this.#fail(call, error, signal?.aborted === true && error === signal.reason)
      return undefined
    } finally {
      this.#pending.delete(call)
    }
  }

  #fail(call: Call, error: unknown, wasAborted: boolean): void {
    this.#parts.world.log.note(
      `${this.name} gets no token of ${call.key.id}: ${(error as { error?: string })?.error ?? error}`,
    )
    const { sabotage } = this.#parts.scenario
    if (sabotage === 'unhandledRejection') void Promise.reject(error)
    if (sabotage === 'forgetFailures') {
      this.#manager = this.#createManager()
      this.#states = new Map()
    }
    this.#parts.invariants.failed(call, error, wasAborted)
  }

  #get(manager: TokenManager, key: Key, options: Parameters<TokenManager['getAccessToken']>[1]): Promise<AccessToken> {
    const { sabotage } = this.#parts.scenario
    if (sabotage === undefined) return manager.getAccessToken(key.client, options)
    if (sabotage === 'alwaysForce') return manager.getAccessToken(key.client, { ...options, forceRenewal: true })
    if (sabotage === 'wrongError') return Promise.reject(new Error('not documented'))
    if (sabotage === 'mixUp' && this.#random.chance(0.01)) {
      return manager.getAccessToken(this.#random.pick(this.#parts.keys).client, options)
    }
    return manager.getAccessToken(key.client, options)
  }

  async #abortedCall(key: Key, afterMs: number): Promise<void> {
    const controller = new AbortController()
    this.#setTimer(afterMs, () => controller.abort(new Error('the caller gave up')))
    await this.#call(key, {}, controller.signal)
  }

  /** A request to an API, with the token that a call gets, and once more after a 401. */
  async #callApi(key: Key): Promise<void> {
    const { api, invariants } = this.#parts
    const incarnation = this.#incarnation
    const call = this.#begin(key, {})
    this.calls++
    try {
      const authorizer = this.#authorizer(key)
      let authorization = await authorizer.authorize({
        method: 'GET',
        url: 'https://api.example/',
        headers: () => new Headers(),
      })
      this.#pending.delete(call)
      while (incarnation === this.#incarnation) {
        const value = authorization.headers.authorization?.slice('Bearer '.length) ?? ''
        const status = await api.request(this, value)
        if (incarnation !== this.#incarnation) return
        const retry = this.#begin(key, {})
        const next = await authorizer.next(authorization, status).finally(() => this.#pending.delete(retry))
        if (!next) return
        authorization = next
      }
    } catch (error) {
      if (incarnation === this.#incarnation) invariants.failed(call, error, false)
    } finally {
      this.#pending.delete(call)
    }
  }

  #authorizer(key: Key) {
    const manager = this.#manager as TokenManager
    let authorizer = this.#authorizers.get(key.id)
    if (!authorizer) {
      authorizer = createRequestAuthorizer(this.#watched(manager, key), key.client, {
        allowedOrigins: ['https://api.example'],
        tokenParameters: parametersOf(key),
      })
      this.#authorizers.set(key.id, authorizer)
    }
    const made = authorizer
    return {
      authorize: made.authorize,
      next: (authorization: Awaited<ReturnType<RequestAuthorizer['authorize']>>, status: number) =>
        authorization.next({ status, headers: new Headers() }, true),
    }
  }

  /** The manager, as the request authorizer uses it. The invariants learn which token was rejected. */
  #watched(manager: TokenManager, key: Key): TokenManager {
    const { scheduler } = this.#parts.world
    const rejectAccessToken: TokenManager['rejectAccessToken'] = async (name, token, ...rest) => {
      const isIgnored = this.#parts.scenario.sabotage === 'ignoreRejections'
      const willRenew = isIgnored || (await manager.rejectAccessToken(name, token, ...rest))
      if (willRenew) {
        const state = this.#state(key)
        state.rejected = { value: token.value, at: scheduler.now }
        state.fineUntil = 0
      }
      return willRenew
    }
    return new Proxy(manager, {
      get(target, property) {
        if (property === 'rejectAccessToken') return rejectAccessToken
        const value = Reflect.get(target, property, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }
}

/** A lease that was not taken. */
function unsafeLease(store: TokenStore, key: string): StoreLease {
  return {
    release() {},
    async commit(value, ttlMs, group) {
      await store.set(key, value, ttlMs, group)
      return true
    },
  }
}

function parametersOf({ tenant }: Key): { parameters?: Record<string, string> } {
  return tenant === '' ? {} : { parameters: { tenant } }
}
