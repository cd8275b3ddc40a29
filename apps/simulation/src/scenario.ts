import { Random } from './random'
import type { Sabotage } from './sabotage'

/** Everything that a run depends on. The same scenario, the same run to the letter. */
export interface Scenario {
  readonly seed: number
  /** How many processes the fleet has. */
  readonly processes: number
  readonly clients: readonly ClientPlan[]
  /** How long faults may happen. */
  readonly durationMs: number
  /** How long the run goes on after the last fault. */
  readonly quietMs: number
  readonly options: ManagerPlan
  readonly network: NetworkPlan
  readonly traffic: TrafficPlan
  readonly faults: readonly Fault[]
  /** Breaks something on purpose, to show that an invariant can fail. */
  readonly sabotage?: Sabotage
}

interface ClientPlan {
  readonly lifetimeMs: number
  /** The lifetime after which the server wants a token renewed, as a share of the lifetime. 0: it does not say. */
  readonly refreshShare: number
  /** How many tenants use the client, each with a token of its own. 0: the client's own token only. */
  readonly tenants: number
  /** Whether the client uses a refresh token, and how the server treats it. */
  readonly refreshToken?: RefreshTokenPlan
}

export interface RefreshTokenPlan {
  /** Whether each use replaces the refresh token. */
  readonly rotates: boolean
  /** For how long a refresh token that was replaced can be used again. After that, a second use ends the grant. */
  readonly graceMs: number
}

interface ManagerPlan {
  readonly hasStore: boolean
  readonly timeoutMs: number
  readonly storeTimeoutMs: number
  readonly localLifetimeMs: number
  readonly expirationBufferMs: number
}

/** Times there and back, in milliseconds. */
interface NetworkPlan {
  readonly storeMs: number
  readonly endpointMs: number
  readonly apiMs: number
  /** How long a write takes to reach the replica of Redis. */
  readonly replicationMs: number
}

interface TrafficPlan {
  /** The mean time between two visits to one process. */
  readonly visitEveryMs: number
  /** How many calls a visit makes. */
  readonly callsPerVisit: number
  /** Whether each process calls for every token when it starts. Default false. */
  readonly callsAllAtStart?: boolean
  /** Whether some calls force a renewal, demand a long validity or give up early. */
  readonly isDemanding: boolean
}

interface At {
  /** When it begins. */
  readonly at: number
}
interface Lasting extends At {
  readonly forMs: number
}

export type Fault =
  /** A process dies, and starts again. */
  | (At & { readonly kind: 'crash'; readonly process: number; readonly downMs: number })
  /** A process gets no time to run. `suspended`: its machine stands still, and with it the monotonic clock. */
  | (Lasting & { readonly kind: 'pause'; readonly process: number; readonly suspended: boolean })
  | (At & { readonly kind: 'restartAll' })
  /** The wall clock of one process is set. */
  | (At & { readonly kind: 'clockJump'; readonly process: number; readonly byMs: number })
  /** The clocks of one process run too fast or too slowly. */
  | (At & { readonly kind: 'clockDrift'; readonly process: number; readonly ppm: number })
  | (Lasting & { readonly kind: 'storeSlow'; readonly delayMs: number })
  /** Connections to the store break. Shares of the commands that are lost before or after they took effect, or sent twice. */
  | (Lasting & {
      readonly kind: 'storeLossy'
      readonly lost: number
      readonly replyLost: number
      readonly silent: number
      readonly twice: number
    })
  | (Lasting & { readonly kind: 'storeDown'; readonly how: 'refused' | 'hangs' })
  | (At & { readonly kind: 'storeFlush' })
  /** The replica takes over after `downMs`, without the writes that had not reached it. */
  | (At & { readonly kind: 'storeFailover'; readonly downMs: number })
  /** Part of the processes use the replica as if it were the master. In the end, what the old master has is lost. */
  | (Lasting & { readonly kind: 'storeSplit'; readonly share: number })
  /** Somebody writes rubbish to all keys, which stays there for {@link RUBBISH_MS}. */
  | (At & { readonly kind: 'storeRubbish' })
  | (Lasting & { readonly kind: 'endpointSlow'; readonly latencyMs: number })
  | (Lasting & { readonly kind: 'endpointDown'; readonly how: EndpointFailure; readonly retryAfterSeconds: number })
  /** Shares of the requests to the endpoint that are lost before or after they took effect, or that reach it twice. */
  | (Lasting & {
      readonly kind: 'endpointLossy'
      readonly lost: number
      readonly replyLost: number
      readonly twice: number
    })
  /** The endpoint refuses a client's secret. */
  | (Lasting & { readonly kind: 'clientRefused'; readonly client: number })
  /** The endpoint takes the new secret only. The processes learn it later. */
  | (At & { readonly kind: 'rotateSecret'; readonly client: number; readonly knownAfterMs: number })
  /** APIs reject all tokens that were issued before. Undefined: of all clients. */
  | (At & { readonly kind: 'revoke'; readonly client: number | undefined })
  /** APIs reject the newest token of a client. */
  | (At & { readonly kind: 'revokeNewest'; readonly client: number })
  /** APIs reject a share of all tokens for no reason. */
  | (Lasting & { readonly kind: 'apiRejects'; readonly share: number })
  | (At & { readonly kind: 'deleteToken'; readonly process: number; readonly client: number })
  | (At & { readonly kind: 'clear'; readonly process: number; readonly client: number })
  /** A person gives a new consent. The old refresh token is not valid any more. The processes learn it later. */
  | (At & { readonly kind: 'newConsent'; readonly client: number; readonly knownAfterMs: number })

/** `newConsent` is drawn on its own. */
type FaultKind = Exclude<Fault['kind'], 'newConsent'>
export type EndpointFailure = 'refused' | 'hangs' | '500' | '503' | '429' | 'rubbish' | 'html' | 'noToken'

const MINUTE_MS = 60_000

/** How likely each kind of fault is in a run. A run that has it has it one to three times. */
const PROBABILITIES: Readonly<Record<FaultKind, number>> = {
  crash: 0.3,
  pause: 0.25,
  restartAll: 0.1,
  clockJump: 0.08,
  clockDrift: 0.08,
  storeSlow: 0.15,
  storeLossy: 0.2,
  storeDown: 0.2,
  storeFlush: 0.15,
  storeFailover: 0.15,
  storeSplit: 0.1,
  storeRubbish: 0.05,
  endpointSlow: 0.2,
  endpointDown: 0.35,
  endpointLossy: 0.15,
  clientRefused: 0.08,
  rotateSecret: 0.1,
  revoke: 0.2,
  revokeNewest: 0.15,
  apiRejects: 0.1,
  deleteToken: 0.15,
  clear: 0.1,
}

/** Draws a scenario. A tenth of them have no faults at all. */
export function drawScenario(seed: number): Scenario {
  const random = new Random(`scenario ${seed}`)
  const processes = random.chance(0.1) ? 1 : Math.round(random.magnitude(2, 64))
  const clients = Array.from({ length: random.chance(0.6) ? 1 : 2 + random.index(3) }, () => drawClient(random))
  const longestMs = Math.max(...clients.map(({ lifetimeMs }) => lifetimeMs))
  const durationMs = Math.max(longestMs * random.between(2, 6), MINUTE_MS)
  const visits = 800
  const hasFaults = !random.chance(0.1)
  const quietMs = 2 * MINUTE_MS + Math.min(longestMs, 10 * MINUTE_MS)
  const faults = hasFaults ? drawFaults(random, { processes, clients, durationMs }) : []
  return withRefreshTokens({
    seed,
    processes,
    clients,
    durationMs,
    quietMs,
    options: {
      hasStore: random.chance(0.9),
      timeoutMs: random.chance(0.5) ? 10_000 : Math.round(random.magnitude(1_000, 10_000)),
      storeTimeoutMs: random.chance(0.7) ? 250 : Math.round(random.magnitude(50, 1_000)),
      localLifetimeMs: random.chance(0.5) ? MINUTE_MS : Math.round(random.magnitude(1_000, MINUTE_MS)),
      expirationBufferMs: random.chance(0.8) ? MINUTE_MS : Math.round(random.magnitude(100, MINUTE_MS)),
    },
    network: {
      storeMs: random.magnitude(0.2, 10),
      endpointMs: random.magnitude(5, 500),
      apiMs: random.magnitude(2, 200),
      replicationMs: random.magnitude(1, 1_000),
    },
    traffic: {
      visitEveryMs: ((durationMs + quietMs) * processes) / visits,
      callsPerVisit: Math.round(random.magnitude(80, 600)),
      isDemanding: faults.length > 0,
    },
    faults,
  })
}

/** In a third of all scenarios, clients use refresh tokens. A seed draws the rest of its scenario as if there were none. */
function withRefreshTokens(scenario: Scenario): Scenario {
  const { seed, options, processes, faults, durationMs } = scenario
  const random = new Random(`refresh tokens ${seed}`)
  // Without a store, each process would use the first refresh token.
  if (!random.chance(0.35) || (!options.hasStore && processes > 1)) return scenario
  const clients = scenario.clients.map((client) => {
    const graceMs = random.chance(0.5) ? 0 : Math.round(random.magnitude(1_000, MINUTE_MS))
    const refreshToken = { rotates: random.chance(0.9), graceMs }
    return random.chance(0.8) ? { ...client, refreshToken } : client
  })
  const consents: Fault[] = []
  while (faults.length > 0 && random.chance(0.3)) {
    const at = Math.round(durationMs * random.between(0, 0.9))
    const knownAfterMs = random.chance(0.5) ? 0 : Math.round(random.magnitude(10, 20_000))
    consents.push({ kind: 'newConsent', at, client: random.index(clients.length), knownAfterMs })
  }
  return { ...scenario, clients, faults: [...faults, ...consents].sort((a, b) => a.at - b.at) }
}

function drawClient(random: Random): ClientPlan {
  return {
    lifetimeMs: Math.round(random.magnitude(5, 7_200)) * 1_000,
    refreshShare: random.chance(0.1) ? random.between(0.3, 0.7) : 0,
    tenants: random.chance(0.2) ? 2 : 0,
  }
}

type Frame = Pick<Scenario, 'processes' | 'clients' | 'durationMs'>

function drawFaults(random: Random, frame: Frame): Fault[] {
  const faults: Fault[] = []
  for (const [kind, probability] of Object.entries(PROBABILITIES) as [FaultKind, number][]) {
    if (!random.chance(probability)) continue
    const count = 1 + random.index(3)
    for (let number = 0; number < count; number++) faults.push(drawFault(random, kind, frame))
  }
  return faults.sort((a, b) => a.at - b.at)
}

function drawFault(random: Random, kind: FaultKind, { processes, clients, durationMs }: Frame): Fault {
  const at = Math.round(durationMs * random.between(0, 0.9))
  const forMs = Math.round(Math.min(random.magnitude(20, 120_000), durationMs - at))
  const process = random.index(processes)
  const client = random.index(clients.length)
  switch (kind) {
    case 'crash':
      return { kind, at, process, downMs: Math.round(random.magnitude(1, 30_000)) }
    case 'pause':
      return { kind, at, process, forMs, suspended: random.chance(0.3) }
    case 'restartAll':
    case 'storeFlush':
    case 'storeRubbish':
      return { kind, at }
    case 'clockJump':
      return { kind, at, process, byMs: Math.round(random.magnitude(10, 3_600_000)) * random.pick([-1, 1]) }
    case 'clockDrift':
      return { kind, at, process, ppm: Math.round(random.between(-500, 500)) }
    case 'storeSlow':
      return { kind, at, forMs, delayMs: Math.round(random.magnitude(10, 2_000)) }
    case 'storeLossy': {
      const share = () => (random.chance(0.5) ? random.magnitude(0.01, 0.5) : 0)
      return { kind, at, forMs, lost: share(), replyLost: share(), silent: share(), twice: share() }
    }
    case 'storeDown':
      return { kind, at, forMs, how: random.pick(['refused', 'hangs'] as const) }
    case 'storeFailover':
      return { kind, at, downMs: Math.round(random.magnitude(10, 5_000)) }
    case 'storeSplit':
      return { kind, at, forMs, share: random.between(0.1, 0.9) }
    case 'endpointSlow':
      return { kind, at, forMs, latencyMs: Math.round(random.magnitude(100, 15_000)) }
    case 'endpointDown': {
      const how = random.pick(['refused', 'hangs', '500', '503', '429', 'rubbish', 'html', 'noToken'] as const)
      const retryAfterSeconds = random.chance(0.5) && (how === '503' || how === '429') ? 1 + random.index(20) : 0
      return { kind, at, forMs, how, retryAfterSeconds }
    }
    case 'endpointLossy':
      return {
        kind,
        at,
        forMs,
        lost: random.magnitude(0.01, 0.5),
        replyLost: random.magnitude(0.01, 0.5),
        twice: random.magnitude(0.01, 0.5),
      }
    case 'clientRefused':
      return { kind, at, forMs, client }
    case 'rotateSecret':
      return { kind, at, client, knownAfterMs: random.chance(0.5) ? 0 : Math.round(random.magnitude(10, 20_000)) }
    case 'revoke':
      return { kind, at, client: random.chance(0.5) ? client : undefined }
    case 'apiRejects':
      return { kind, at, forMs, share: random.magnitude(0.01, 1) }
    case 'revokeNewest':
      return { kind, at, client }
    case 'deleteToken':
    case 'clear':
      return { kind, at, process, client }
  }
}

/** Others wait as long for a lease that is rubbish. */
export const RUBBISH_MS = 5_000

/** When everything that a fault does by itself has ended. */
export function endOf(fault: Fault): number {
  if (fault.kind === 'storeRubbish') return fault.at + RUBBISH_MS
  if ('forMs' in fault) return fault.at + fault.forMs
  if ('downMs' in fault) return fault.at + fault.downMs
  return 'knownAfterMs' in fault ? fault.at + fault.knownAfterMs : fault.at
}
