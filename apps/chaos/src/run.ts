import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type IdentityProvider, startIdentityProvider } from '@tokenward/identity-provider'
import { type CallTarget, type MemberConfiguration, now } from '@tokenward/worker-fleet'
import { Bounds } from './bounds'
import { Calm } from './calm'
import { type Deployment, type DeploymentName, startDeployment } from './deployment'
import { inflict } from './fault-driver'
import { Invariants } from './invariants'
import { Moments } from './moments'
import { Observer } from './observer'
import { describe, drawEpisode } from './plan'
import type { Sabotage } from './sabotage'
import { issuedToken, secretsOf, targetsOf } from './targets'
import { Wire } from './wire'
import { Workers } from './workers'

/** How late the token endpoint responds. Without it, requests under way at the same time would hardly be seen. */
const LATENCY_MS = 150
const STORE_TIMEOUT_MS = 1_000
const STARTS_WITHIN_MS = 60_000

export interface ChaosOptions {
  readonly on: DeploymentName
  readonly durationMs: number
  readonly processes: number
  readonly lifetimeMs: number
  readonly timeoutMs: number
  /** Calls a second, of each process and for each token. */
  readonly callsPerSecond: number
  readonly seed: number
  readonly sabotage: Sabotage | undefined
  readonly stopping: AbortSignal
  readonly print: (line: string) => void
}

/** What one run has seen. */
export interface ChaosResult {
  readonly on: DeploymentName
  readonly invariants: Invariants
  readonly bounds: Bounds
  readonly episodes: number
  readonly faults: number
  readonly calls: number
  readonly apiRequests: number
  readonly tokenRequests: number
  readonly wireBytes: number
  /** Times without faults in which all invariants were checked, in milliseconds. */
  readonly calmMs: number
  /** The longest time from the last fault of an episode until the last call that failed or waited. */
  readonly slowestRecoveryMs: number
  readonly stalls: number
}

/** Runs a fleet under faults on one kind of Redis. */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const run = new ChaosRun(options)
  try {
    return await run.result()
  } finally {
    await run.stop()
  }
}

class ChaosRun {
  readonly #options: ChaosOptions
  readonly #bounds: Bounds
  readonly #calm = new Calm()
  readonly #moments = new Moments()
  readonly #toStop: (() => Promise<void> | void)[] = []
  #isOver = false
  #calmMs = 0
  #slowestRecoveryMs = 0

  constructor(options: ChaosOptions) {
    this.#options = options
    const { lifetimeMs, timeoutMs } = options
    this.#bounds = new Bounds({ lifetimeMs, timeoutMs, storeTimeoutMs: STORE_TIMEOUT_MS, latencyMs: LATENCY_MS })
  }

  /** Ends everything that it started, the last first. */
  async stop(): Promise<void> {
    this.#isOver = true
    for (const stop of this.#toStop.splice(0).reverse()) await stop()
  }

  async result(): Promise<ChaosResult> {
    const { on, seed, processes, lifetimeMs, timeoutMs, durationMs, stopping, print, sabotage } = this.#options
    const provider = await startIdentityProvider({ tokenLifetimeSeconds: lifetimeMs / 1_000 })
    this.#toStop.push(() => provider.close())
    const targets = targetsOf(provider)
    const encryptionKey = on === 'cluster' ? randomBytes(32).toString('base64') : undefined
    const wire = new Wire(await secretsOf(provider, targets, encryptionKey !== undefined))
    const deployment = await startDeployment(on, wire)
    this.#toStop.push(() => deployment.stop())
    provider.tokenEndpointFaults.delayMs = LATENCY_MS

    const invariants: Invariants = new Invariants({
      bounds: this.#bounds,
      calm: this.#calm,
      targets,
      issued: (tokenId) => issuedToken(provider, tokenId),
      onBroken({ invariant, at, text }) {
        const { length } = invariants.violations
        if (length > MOST_SHOWN) return
        print(`BROKEN ${invariant}: ${text}`)
        if (length <= MOST_EXPLAINED) for (const line of observer.recent(at)) print(`  ${line}`)
      },
    })
    const observer: Observer = new Observer({
      provider,
      targets,
      invariants,
      calm: this.#calm,
      moments: this.#moments,
      wire,
    })
    this.#toStop.push(() => observer.stop())
    void this.#watchRedis(deployment)
    const configuration = this.#configuration(provider, deployment, targets, encryptionKey)
    const workers = new Workers({
      count: processes,
      configuration,
      onStart: () => invariants.processStarted(),
      onEvent: (name, event) => observer.processEvent(name, event),
      onCalls: (name, report) => observer.processCalls(name, report),
      onEnd(name, byItself) {
        observer.processEnded(name)
        if (byItself) invariants.endedByItself(name, now())
      },
    })
    this.#toStop.push(() => workers.stop())

    const startedAt = now()
    print(`${on}: starts ${processes} processes`)
    await workers.start()
    if (sabotage === 'slowClock') {
      const timer = setInterval(() => workers.skip(-SLOWER_MS), 2 * SLOWER_MS)
      this.#toStop.push(() => clearInterval(timer))
    }
    const isReady = () => observer.isShared(workers.names) && workers.names.length === processes
    while (!isReady() && now() < startedAt + STARTS_WITHIN_MS && !stopping.aborted) await sleep(50)

    const frame = { processes, lifetimeMs, timeoutMs, canKillMasters: on === 'sentinel' }
    const driven = {
      provider,
      deployment,
      workers,
      calm: this.#calm,
      invariants,
      moments: this.#moments,
      latencyMs: LATENCY_MS,
      momentWithinMs: lifetimeMs,
    }
    const endsAt = now() + durationMs
    let episodes = 0
    let faults = 0
    let longestMs = 0
    // At least one, and no more than there is time for.
    while (!stopping.aborted && (episodes === 0 || now() + longestMs < endsAt)) {
      const beganAt = now()
      const drawn = drawEpisode(seed, ++episodes, frame)
      faults += drawn.length
      print(`${on}: episode ${episodes}: ${drawn.map(describe).join('; ')}`)
      const inflicted = inflict(driven, drawn)
      await untilAborted(inflicted, stopping)
      await this.#watchCalm(observer, invariants, workers, targets)
      longestMs = Math.max(longestMs, now() - beganAt)
      this.#calm.forget(now() - 60_000 - 2 * this.#bounds.longestCallMs)
    }
    await workers.stop()
    observer.stop()
    return {
      on,
      invariants,
      bounds: this.#bounds,
      episodes,
      faults,
      calls: observer.calls,
      apiRequests: observer.apiRequests,
      tokenRequests: observer.tokenRequests,
      wireBytes: wire.bytes,
      calmMs: this.#calmMs,
      slowestRecoveryMs: this.#slowestRecoveryMs,
      stalls: observer.stalls,
    }
  }

  /** A Redis that the machine has no time for is no fault of the fleet. */
  async #watchRedis(deployment: Deployment): Promise<void> {
    while (!this.#isOver) {
      const from = now()
      await deployment.ping()
      const to = now()
      if (to - from > SLOW_REDIS_MS && this.#calm.is(from, to, 'store')) this.#calm.add('machine', from, to)
      await sleep(WATCH_REDIS_EVERY_MS)
    }
  }

  /** Waits until all must be well again, and then for a time without faults in which every invariant is checked. */
  async #watchCalm(observer: Observer, invariants: Invariants, workers: Workers, targets: readonly CallTarget[]) {
    const { stopping, lifetimeMs, print, on } = this.#options
    const lastFaultAt = now()
    let sharedAt: number | undefined
    const watchUntil = async (end: number) => {
      while (now() < end && !stopping.aborted) {
        if (sharedAt === undefined && observer.isShared(workers.names)) sharedAt = now()
        await sleep(100)
      }
    }
    await watchUntil(lastFaultAt + this.#bounds.recoveryMs)
    const from = now()
    const before = new Map(targets.map(({ name }) => [name, observer.requestsOf(name)]))
    await watchUntil(from + CALM_LIFETIMES * lifetimeMs)
    if (stopping.aborted) return
    const to = now()
    for (const { name } of targets) {
      invariants.stretch(name, from, to, observer.requestsOf(name) - (before.get(name) ?? 0))
    }
    invariants.shared(lastFaultAt, sharedAt, to)
    this.#calmMs += to - from
    const { lastTrouble } = invariants
    const recoveryMs = Math.max(0, lastTrouble.at - lastFaultAt)
    this.#slowestRecoveryMs = Math.max(this.#slowestRecoveryMs, recoveryMs)
    const shared = sharedAt === undefined ? 'not yet' : `after ${seconds(sharedAt - lastFaultAt)}`
    const trouble = recoveryMs > 0 ? ` (${lastTrouble.text})` : ''
    print(
      `${on}: all calls were well ${seconds(recoveryMs)} after the last fault${trouble}, all processes shared their tokens ${shared}; ` +
        `${observer.calls} calls, ${invariants.failedCalls} failed, ${observer.tokenRequests} token requests, ` +
        `${invariants.violations.length} broken invariants`,
    )
  }

  #configuration(
    { tokenEndpoint, catalog }: IdentityProvider,
    deployment: Deployment,
    targets: readonly CallTarget[],
    encryptionKey: string | undefined,
  ) {
    const { callsPerSecond, timeoutMs, sabotage } = this.#options
    const { clientId = '', clientSecret = '' } = targets[0] ?? {}
    return (worker: number): Omit<MemberConfiguration, 'name'> => ({
      ...(sabotage === 'noStore' ? { redisUrl: 'redis://127.0.0.1:1' } : deployment.configuration(worker)),
      tokenEndpoint,
      clientId,
      clientSecret,
      catalogUrl: catalog.baseURL,
      callsPerSecond,
      timeoutMs,
      storeTimeoutMs: STORE_TIMEOUT_MS,
      targets,
      ...(encryptionKey !== undefined && sabotage !== 'unencrypted' && { encryptionKey }),
    })
  }
}

const CALM_LIFETIMES = 2
/** For `--break slowClock`. */
const SLOWER_MS = 100
/** When everything is broken, the first few violations say why. */
const MOST_SHOWN = 50
const MOST_EXPLAINED = 3
const WATCH_REDIS_EVERY_MS = 100
/** Half of the time that the token managers wait for it. */
const SLOW_REDIS_MS = STORE_TIMEOUT_MS / 2

/** Resolves early when `stopping` aborts. What goes on then ends with the process. */
async function untilAborted(work: Promise<void>, stopping: AbortSignal): Promise<void> {
  const aborted = new Promise<void>((resolve) => stopping.addEventListener('abort', () => resolve(), { once: true }))
  work.catch(() => undefined)
  await Promise.race([work, aborted])
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`
}
