import { setTimeout as sleep } from 'node:timers/promises'
import { type IdentityProvider, startIdentityProvider } from '@tokenward/identity-provider'
import { ApiTally } from '../api-tally'
import { type Member, memberNames, startMember } from '../fleet'
import type { MemberEvent } from '../protocol'
import { failed } from '../table'
import { type Conditions, describeBroken, describeNow } from './describe'
import { EndpointRequests } from './endpoint-requests'
import { EventLog } from './event-log'
import type { Command, LiveState } from './live-state'
import { logEvent } from './log-event'
import { remainingAfterSkip } from './skip'
import { Slot, sum } from './slot'
import { startWatchedRedis, type WatchedRedis } from './watched-redis'

/** A lease lasts a little longer than this. A worker that is killed while it holds the lease is replaced after that. */
const REQUEST_TIMEOUT_MS = 3_000
/** How long the page says that calls fail after the last one that did. */
const FAILING_FOR_MS = 1_500
const WRONG_SECRET = 'wrong'

export interface LiveFleetOptions {
  readonly processes: number
  readonly lifetimeSeconds: number
  readonly callsPerSecond: number
  /** How late the token endpoint responds, in milliseconds. Without it, nobody could see who renews and who waits. */
  readonly latencyMs: number
}

/** A fleet, its authorization server, API and Redis, and what breaks them. */
export class LiveFleet {
  readonly #options: LiveFleetOptions
  readonly #provider: IdentityProvider
  readonly #redis: WatchedRedis
  readonly #slots: readonly Slot[]
  readonly #log: EventLog
  readonly #requests = new EndpointRequests()
  readonly #tally: ApiTally
  readonly #tokenNumbers = new Map<string, number>()
  #tokenRequests = 0
  #requestedBy: string | undefined
  #isEndpointUp = true
  #hasWrongSecret = false
  #clockAheadMs = 0
  #leaseHolder: string | undefined
  #isLeaseOrphaned = false
  #failure: { readonly reason: string; readonly at: number } | undefined
  #announcement = ''
  #wasFailing = false
  #lastKilled = -1
  #isStopping = false

  private constructor(options: LiveFleetOptions, provider: IdentityProvider, redis: WatchedRedis) {
    this.#options = options
    this.#provider = provider
    this.#redis = redis
    this.#slots = memberNames(options.processes).map((name) => new Slot(name))
    this.#log = new EventLog(options.processes)
    this.#tally = new ApiTally(provider.catalog)
    provider.tokenEndpointFaults.delayMs = options.latencyMs
  }

  /**
   * Starts everything. Resolves when the workers work.
   *
   * @throws Error when there is no redis-server, or a process does not start
   */
  static async start(options: LiveFleetOptions): Promise<LiveFleet> {
    const redis = await startWatchedRedis()
    const provider = await startIdentityProvider({ tokenLifetimeSeconds: options.lifetimeSeconds })
    const fleet = new LiveFleet(options, provider, redis)
    try {
      await Promise.all(fleet.#slots.map(async (slot) => slot.take(await fleet.#startProcess(slot))))
    } catch (error) {
      await fleet.stop()
      throw error
    }
    // All begin at the same moment, so that they all need the first token at once.
    for (const slot of fleet.#slots) fleet.#employ(slot)
    return fleet
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    await Promise.all(this.#slots.map(({ member }) => member?.stop()))
    await this.#provider.close()
    await this.#redis.stop()
  }

  state(): LiveState {
    this.#tally.update()
    this.#tokenRequests += this.#provider.tokenRequests.splice(0).length
    const { isUp, tokenMs, leaseMs } = this.#redis
    const failures = sum(this.#slots.map((slot) => slot.failures))
    const shown = {
      workers: this.#slots.map((slot) => slot.state((id) => this.#tokenNumber(id), this.#leaseHolder)),
      endpoint: {
        isUp: this.#isEndpointUp,
        latencyMs: this.#options.latencyMs,
        requests: this.#requests.latest,
      },
      redis: {
        isUp,
        tokenMs,
        leaseMs,
        leaseHolder: leaseMs === undefined ? undefined : this.#leaseHolder,
        isLeaseOrphaned: leaseMs !== undefined && this.#isLeaseOrphaned,
      },
      hasWrongSecret: this.#hasWrongSecret,
      lastStretchMs: lastStretchMs(this.#lifetimeMs),
    }
    const isRejected = this.#slots.some((slot) => slot.isRejected)
    const described = {
      ...this.#conditions(),
      ...shown,
      isRejected,
      requestedBy: this.#requestedBy,
      failure: this.#failureNow(),
    }
    const now = describeNow(described)
    if (described.failure !== undefined && !this.#wasFailing) this.#announcement = now.text
    if (described.failure === undefined && this.#wasFailing) this.#announcement = 'Calls no longer fail.'
    this.#wasFailing = described.failure !== undefined
    return {
      ...shown,
      now,
      announcement: this.#announcement,
      calls: this.#slots.reduce((all, { calls }) => all + calls, 0),
      failedCalls: failed({ failures }),
      failures,
      tokenRequests: this.#tokenRequests,
      tokens: this.#tokenNumbers.size,
      lifetimeMs: this.#lifetimeMs,
      log: this.#log.lines(),
    }
  }

  /** Does what a button says. Returns a sentence that says what was done. */
  async run(command: Command): Promise<string> {
    const text = await this.#commands[command]()
    this.#log.add('busy', text)
    const broken = describeBroken({ ...this.#conditions(), failure: undefined })
    this.#announcement = [text, broken ?? ''].join(' ').trim()
    return text
  }

  readonly #commands: Readonly<Record<Command, () => string | Promise<string>>> = {
    'endpoint-down': () => this.#setEndpoint(false),
    'endpoint-up': () => this.#setEndpoint(true),
    'redis-down': async () => {
      await this.#redis.down()
      this.#leaseHolder = undefined
      return 'You stopped Redis. What it held is lost.'
    },
    'redis-up': async () => {
      await this.#redis.up()
      return 'You started Redis again. It is empty. The workers use it again by themselves.'
    },
    'wrong-secret': () => this.#setSecret(true),
    'right-secret': () => this.#setSecret(false),
    revoke: () => {
      this.#provider.revokeIssued()
      return 'You revoked all tokens. The API rejects them with 401.'
    },
    kill: () => this.#kill(),
    skip: () => this.#skip(),
  }

  #setEndpoint(isUp: boolean): string {
    this.#isEndpointUp = isUp
    const { tokenEndpointFaults } = this.#provider
    tokenEndpointFaults.clear()
    if (isUp) tokenEndpointFaults.delayMs = this.#options.latencyMs
    else tokenEndpointFaults.fail(Number.POSITIVE_INFINITY, { status: 503 })
    return isUp ? 'You brought the token endpoint back.' : 'You took the token endpoint down. It responds 503.'
  }

  #setSecret(isWrong: boolean): string {
    this.#hasWrongSecret = isWrong
    for (const { member } of this.#slots) member?.useSecret(this.#secret)
    return isWrong ? 'You gave all workers a wrong secret.' : 'You gave all workers the right secret again.'
  }

  #kill(): string {
    const running = this.#slots.filter(({ member }) => member)
    // The worker that renews is the most interesting one to lose. Else each in turn.
    const inTurn = running.find((slot) => this.#slots.indexOf(slot) > this.#lastKilled) ?? running[0]
    const slot = running.find(({ phase }) => phase === 'renewing') ?? inTurn
    if (!slot) return 'No worker runs that could be killed.'
    this.#lastKilled = this.#slots.indexOf(slot)
    const when = slot.phase === 'renewing' ? ' while it renewed the token' : ''
    slot.member?.signal('SIGKILL')
    return `You killed ${slot.name}${when}.`
  }

  async #skip(): Promise<string> {
    const isRenewing = this.#slots.some(({ phase }) => phase === 'renewing' || phase === 'waiting')
    if (isRenewing && this.#isEndpointUp) return 'A renewal is under way. Skip again when it is done.'
    const times = this.#slots.flatMap(({ member }) => (member?.token ? [member.token.remainingMs] : []))
    const remainingMs = Math.min(...times)
    const target = remainingAfterSkip(remainingMs, this.#lifetimeMs, lastStretchMs(this.#lifetimeMs))
    if (!Number.isFinite(remainingMs) || !target) return 'No worker has a valid token, so there is nothing to skip.'
    const ms = remainingMs - target.remainingMs
    this.#clockAheadMs += ms
    await this.#redis.skip(ms).catch(() => undefined)
    for (const { member } of this.#slots) member?.skip(ms)
    return `You moved the workers' clocks ahead, ${target.to}.`
  }

  #conditions(): Omit<Conditions, 'failure'> {
    return { isEndpointUp: this.#isEndpointUp, isRedisUp: this.#redis.isUp, hasWrongSecret: this.#hasWrongSecret }
  }

  get #lifetimeMs(): number {
    return this.#options.lifetimeSeconds * 1_000
  }

  get #secret(): string {
    return this.#hasWrongSecret ? WRONG_SECRET : this.#provider.client('catalog.client').clientSecret
  }

  #failureNow(): string | undefined {
    const isNow = this.#failure && performance.now() - this.#failure.at < FAILING_FOR_MS
    return isNow ? this.#failure?.reason : undefined
  }

  #tokenNumber(id: string): number {
    const number = this.#tokenNumbers.get(id) ?? this.#tokenNumbers.size + 1
    this.#tokenNumbers.set(id, number)
    return number
  }

  async #startProcess(slot: Slot): Promise<Member> {
    const { tokenEndpoint, catalog } = this.#provider
    const configuration = {
      name: slot.name,
      redisUrl: this.#redis.url,
      tokenEndpoint,
      clientId: this.#provider.client('catalog.client').clientId,
      clientSecret: this.#secret,
      catalogUrl: catalog.baseURL,
      callsPerSecond: this.#options.callsPerSecond,
      timeoutMs: REQUEST_TIMEOUT_MS,
      clockAheadMs: this.#clockAheadMs,
    }
    const member = await startMember(configuration, { onEvent: (event) => this.#note(slot, event) })
    // What changed while it started.
    member.useSecret(this.#secret)
    member.skip(this.#clockAheadMs - configuration.clockAheadMs)
    return member
  }

  #employ(slot: Slot): void {
    slot.member?.go()
    void slot.member?.ended.then(() => this.#replace(slot))
  }

  /** Starts another process in the place of one that has ended. */
  async #replace(slot: Slot): Promise<void> {
    slot.vacate()
    if (this.#leaseHolder === slot.name) this.#isLeaseOrphaned = true
    this.#requests.ended(slot.name, undefined)
    while (!this.#isStopping) {
      this.#log.add('warning', `The process of ${slot.name} has ended. A new one is started in its place.`)
      try {
        const member = await this.#startProcess(slot)
        if (this.#isStopping) return void (await member.stop())
        slot.take(member)
        this.#employ(slot)
        this.#announcement = `A new process of ${slot.name} works.`
        this.#log.add('good', `${slot.name} works again, with a new process.`)
        return
      } catch (error) {
        this.#log.add('bad', `${slot.name} did not start: ${error instanceof Error ? error.message : error}`)
        await sleep(1_000)
      }
    }
  }

  #note(slot: Slot, event: MemberEvent): void {
    slot.note(event)
    if (event.type === 'activity' && event.activity === 'renewing') this.#requests.sent(slot.name)
    if (event.type === 'tokenResponse') this.#requests.ended(slot.name, event.status, event.durationMs)
    if (event.type === 'tokenChanged' && event.source === 'endpoint') this.#requestedBy = slot.name
    if (event.type === 'leaseTaken') {
      this.#leaseHolder = slot.name
      this.#isLeaseOrphaned = false
      this.#redis.watch(event.key)
    }
    if (event.type === 'leaseEnded' && this.#leaseHolder === slot.name) this.#leaseHolder = undefined
    if (event.type === 'callFailed') this.#failure = { reason: event.reason, at: performance.now() }
    logEvent(this.#log, slot.name, event, (id) => this.#tokenNumber(id))
  }
}

/** The last stretch is 60 s, but never more than a tenth of the lifetime. */
function lastStretchMs(lifetimeMs: number): number {
  return Math.min(60_000, lifetimeMs / 10)
}
