import type { LiveState, Sentence } from './live-state'
import { capitalized, namesOf, verb } from './names'

/** What can be broken. */
export interface Conditions {
  readonly isEndpointUp: boolean
  readonly isRedisUp: boolean
  readonly hasWrongSecret: boolean
  /** Why calls fail now. Undefined: no call fails. */
  readonly failure: string | undefined
}

/** What the sentences are about. */
export interface Described extends Conditions, Pick<LiveState, 'workers' | 'redis' | 'lastStretchMs'> {
  /** Whether the API rejected the token that a worker uses, and it has no new one yet. */
  readonly isRejected: boolean
  /** The worker that requested the newest token, when it is known. */
  readonly requestedBy: string | undefined
}

/** What happens now, in one or two sentences. */
export function describeNow(state: Described): Sentence {
  const broken = describeBroken(state)
  if (state.failure !== undefined) {
    return { tone: 'bad', text: `Calls fail: ${state.failure}. ${broken ?? remedyOf(state.failure)}` }
  }
  const starting = state.workers.filter(({ phase }) => phase === 'starting').map(({ name }) => name)
  // The sentence about the lease of a worker that ended says enough.
  const restart =
    starting.length > 0 &&
    !state.redis.isLeaseOrphaned &&
    `A new process starts in the place of ${namesOf(starting, state.workers.length)}. The others go on with the token.`
  const renewal = describeRenewal(state)
  const parts = [broken, restart, renewal].filter((part) => part)
  if (broken || restart) return { tone: 'warning', text: parts.join(' ') }
  if (renewal) return { tone: 'busy', text: renewal }
  return { tone: 'good', text: describeCalm(state) }
}

/** What is broken, and what that means. Undefined: nothing. */
export function describeBroken({ isEndpointUp, isRedisUp, hasWrongSecret, failure }: Conditions): string | undefined {
  const parts: string[] = []
  const noNewToken = failure === undefined ? 'Calls go on with the current token until it expires.' : ''
  if (!isEndpointUp) parts.push(`The token endpoint is down. ${noNewToken || 'Bring it back.'}`)
  if (hasWrongSecret) {
    const remedy = 'Check clientSecret of catalog.client: here, give the right secret back.'
    parts.push(`The secret is wrong, so each renewal fails (invalid_client). ${noNewToken || remedy}`)
  }
  if (!isRedisUp) parts.push('Redis is gone. Each worker keeps its token in memory and renews it alone.')
  return parts.length > 0 ? parts.join(' ') : undefined
}

/** Who renews, and who waits. Undefined: nobody does. */
function describeRenewal({ workers, redis, isRejected, lastStretchMs, ...conditions }: Described): string | undefined {
  const renewing = workers.filter(({ phase }) => phase === 'renewing')
  const waiting = workers.filter(({ phase }) => phase === 'waiting')
  if (renewing.length === 0 && waiting.length === 0) return undefined
  if (renewing.length === 0 && redis.isLeaseOrphaned) {
    const waits = `${waiting.length} ${verb(waiting.length, 'worker waits', 'workers wait')}`
    return `${capitalized(redis.leaseHolder ?? '')} ended while it held the lease. ${waits} until the lease ends. Then another one renews.`
  }
  const count = Math.max(renewing.length, 1)
  const names = renewing.map(({ name }) => name)
  const who = names.length > 0 ? capitalized(namesOf(names, workers.length)) : 'A worker'
  if (!conditions.isEndpointUp || conditions.hasWrongSecret)
    return `${who} ${verb(count, 'tries', 'try')} to renew the token.`
  const wait = `${waiting.length} ${verb(waiting.length, 'other waits', 'others wait')} for it`
  const others = waiting.length > 0 ? `; ${wait}` : ''
  const concerned = [...renewing, ...waiting]
  if (concerned.every(({ token }) => !token))
    return `${who} ${verb(count, 'requests', 'request')} the first token${others}.`
  const doCallsWait = concerned.some(({ token }) => !token || token.remainingMs <= lastStretchMs)
  const calls = isRejected
    ? 'The API rejected the old one, so calls wait and are sent again.'
    : doCallsWait
      ? 'Calls wait for the new token.'
      : 'Calls go on with the current token.'
  return `${who} ${verb(count, 'renews', 'renew')} the token${others}. ${calls}`
}

function describeCalm({ workers, requestedBy }: Pick<Described, 'workers' | 'requestedBy'>): string {
  const used = workers.flatMap(({ token }) => (token ? [token.number] : []))
  const starting = workers.filter(({ token }) => !token).map(({ name }) => name)
  if (used.length === 0) return 'The workers start.'
  if (starting.length > 0) {
    const start = `${verb(starting.length, 'has', 'have')} started and ${verb(starting.length, 'takes', 'take')}`
    return `${capitalized(namesOf(starting, workers.length))} ${start} the token from Redis.`
  }
  const numbers = [...new Set(used)].sort((a, b) => b - a)
  const [newest, older] = numbers
  if (workers.length === 1) return `The worker uses token ${newest}. It renews the token before it expires.`
  if (numbers.length === 1) {
    const origin = requestedBy === undefined ? '' : `, which ${requestedBy} requested`
    return `All ${workers.length} workers share token ${newest}${origin}. Before it expires, one of them renews it for all.`
  }
  if (numbers.length > 2) {
    return `The workers use ${numbers.length} different tokens. All are valid. With the next renewals they share one again.`
  }
  const names = workers.filter(({ token }) => token?.number === newest).map(({ name }) => name)
  const have = `${capitalized(namesOf(names, workers.length))} ${verb(names.length, 'has', 'have')} token ${newest}.`
  return `${have} The others use token ${older} until it is time to renew it. Then they take token ${newest} from Redis.`
}

function remedyOf(failure: string): string {
  if (failure === '401')
    return 'The API rejects the token, and no new one could be had yet. The next renewal follows by itself.'
  return 'The workers try again by themselves.'
}
