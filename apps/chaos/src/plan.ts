import { Random } from './random'

/**
 * When exactly a fault begins. `lease`: a process has just got the lease to renew a token. `request`: a token request is under way.
 * These are the moments at which a fault does the most damage.
 */
export type Moment = 'any' | 'lease' | 'request'

/** Half of the processes use other connections to Redis than the other half, so that a fault can concern one half only. */
export type Lane = 0 | 1 | 'both'

interface When {
  /** In milliseconds from the beginning of the episode. With a moment: from when on to wait for it. */
  readonly at: number
  readonly moment: Moment
}
interface Lasting extends When {
  readonly forMs: number
}

export type EndpointFailure = '500' | '503' | '429' | 'hang' | 'reset' | 'html' | 'noToken'

export type Fault =
  /** `kill -9`. The process starts again. With a moment, it is the process that renews. */
  | (When & { readonly kind: 'crash'; readonly process: number; readonly downMs: number })
  /** SIGSTOP, and SIGCONT later. */
  | (Lasting & { readonly kind: 'pause'; readonly process: number })
  | (When & { readonly kind: 'restartAll' })
  /** Connections to Redis stand still. What was sent goes on afterwards. */
  | (Lasting & { readonly kind: 'storeStall'; readonly lane: Lane })
  /** Connections to Redis break, and new ones are refused. */
  | (Lasting & { readonly kind: 'storeReset'; readonly lane: Lane })
  /** FLUSHALL on every master. */
  | (When & { readonly kind: 'storeFlush' })
  /**
   * A master stands still until its replica has taken over, and then goes on (`stop`). Or it is killed, and starts again as a replica
   * (`kill`, on Sentinel only).
   */
  | (Lasting & { readonly kind: 'storeFailover'; readonly how: 'stop' | 'kill' })
  | (Lasting & { readonly kind: 'endpointDown'; readonly how: EndpointFailure; readonly retryAfterSeconds: number })
  | (Lasting & { readonly kind: 'endpointSlow'; readonly latencyMs: number })
  /** The APIs reject all tokens that were issued before. */
  | (When & { readonly kind: 'revoke' })

type FaultKind = Fault['kind']

/** How often each kind is drawn, relative to the others. */
const WEIGHTS: Readonly<Record<FaultKind, number>> = {
  crash: 3,
  pause: 3,
  restartAll: 1,
  storeStall: 3,
  storeReset: 3,
  storeFlush: 2,
  storeFailover: 2,
  endpointDown: 4,
  endpointSlow: 2,
  revoke: 2,
}
const KINDS = (Object.entries(WEIGHTS) as [FaultKind, number][]).flatMap(([kind, weight]) => Array(weight).fill(kind))

const MOST_FAULTS = 6
/** Longer outages would make the pauses between two probes longer, and with them the time until all is well. */
const LONGEST_OUTAGE_MS = 20_000
export const LONGEST_RETRY_AFTER_SECONDS = 3

export interface Frame {
  readonly processes: number
  readonly lifetimeMs: number
  readonly timeoutMs: number
  readonly canKillMasters: boolean
}

/** Draws the faults of one episode. The same seed and number give the same faults. */
export function drawEpisode(seed: number, number: number, frame: Frame): Fault[] {
  const random = new Random(`${seed}/${number}`)
  // With a single fault, the invariants say the most about what it does not touch.
  const count = random.chance(0.4) ? 1 : 2 + random.index(MOST_FAULTS - 1)
  const faults = Array.from({ length: count }, () => drawFault(random, random.pick(KINDS), frame))
  // One failover at a time: a Cluster of six nodes survives no more.
  const isExcess = (fault: Fault, index: number) =>
    fault.kind === 'storeFailover' && faults.findIndex(({ kind }) => kind === 'storeFailover') !== index
  return faults.filter((fault, index) => !isExcess(fault, index)).sort((a, b) => a.at - b.at)
}

function drawFault(random: Random, kind: FaultKind, frame: Frame): Fault {
  const { processes, lifetimeMs, timeoutMs } = frame
  const at = Math.round(random.between(0, lifetimeMs))
  const moment = random.pick(['any', 'lease', 'request'] as const)
  const forMs = Math.round(Math.min(random.between(0.05, 1.5) * lifetimeMs, LONGEST_OUTAGE_MS))
  const process = random.index(processes)
  const lane = random.pick(['both', 'both', 0, 1] as const)
  switch (kind) {
    case 'crash':
      return { kind, at, moment, process, downMs: Math.round(random.between(0, 3_000)) }
    case 'pause':
      return { kind, at, moment, process, forMs }
    case 'restartAll':
    case 'storeFlush':
    case 'revoke':
      return { kind, at, moment }
    case 'storeStall':
    case 'storeReset':
      return { kind, at, moment, lane, forMs }
    case 'storeFailover':
      return { kind, at, moment, forMs, how: frame.canKillMasters && random.chance(0.5) ? 'kill' : 'stop' }
    case 'endpointDown': {
      const how = random.pick(['500', '503', '429', 'hang', 'reset', 'html', 'noToken'] as const)
      const hasRetryAfter = (how === '503' || how === '429') && random.chance(0.5)
      const retryAfterSeconds = hasRetryAfter ? 1 + random.index(LONGEST_RETRY_AFTER_SECONDS) : 0
      return { kind, at, moment, how, retryAfterSeconds, forMs }
    }
    case 'endpointSlow':
      return { kind, at, moment, forMs, latencyMs: Math.round(random.between(300, 1.5 * timeoutMs)) }
  }
}

/** In a few words. */
export function describe(fault: Fault): string {
  const { kind, at, moment, ...rest } = fault
  const details = Object.entries(rest).map(([name, value]) => `${name} ${value}`)
  return [kind, ...details, moment === 'any' ? `at ${at}` : `at the first ${moment} after ${at}`].join(', ')
}
