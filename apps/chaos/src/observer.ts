import type { IdentityProvider, RecordedTokenRequest } from '@tokenward/identity-provider'
import { type CallReport, type MemberEvent, now } from '@tokenward/worker-fleet'
import type { Calm } from './calm'
import type { Invariants } from './invariants'
import { PERFORMANCE_OFFSET_MS } from './machine-clock'
import type { Moments } from './moments'
import type { Target, TokenRequest } from './observations'
import type { Wire } from './wire'

const LOOK_EVERY_MS = 10
/** This program runs this much later than it wanted: the machine is too busy for what it says about time. */
const STALL_MS = 400

const SHOWN_EVENTS = 25
const KEPT_EVENTS = 500

export interface ObserverOptions {
  readonly provider: IdentityProvider
  readonly targets: readonly Target[]
  readonly invariants: Invariants
  readonly calm: Calm
  readonly moments: Moments
  readonly wire: Wire
}

/** Collects what the token endpoint, the APIs, the wire and the processes have seen, and passes it to the invariants. */
export class Observer {
  readonly #options: ObserverOptions
  readonly #timer: NodeJS.Timeout
  readonly #underWay = new Map<RecordedTokenRequest, TokenRequest & { endedAt: number | undefined; status: number }>()
  /** The token that each process used last, by target. */
  readonly #tokens = new Map<string, Map<string, string>>()
  #requestsByTarget = new Map<string, number>()
  #recent: { readonly at: number; readonly text: string }[] = []
  #last = now()
  calls = 0
  apiRequests = 0
  tokenRequests = 0
  stalls = 0

  constructor(options: ObserverOptions) {
    this.#options = options
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS)
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#look()
  }

  /** How many requests each target has caused so far. */
  requestsOf(target: string): number {
    return this.#requestsByTarget.get(target) ?? 0
  }

  /** Whether all processes used the same token for each target at last. */
  isShared(processes: readonly string[]): boolean {
    return this.#options.targets.every(({ name }) => {
      const tokens = processes.map((process) => this.#tokens.get(process)?.get(name))
      return !tokens.includes(undefined) && new Set(tokens).size === 1
    })
  }

  processCalls(process: string, report: CallReport): void {
    const { invariants, calm } = this.#options
    for (const { from, to } of report.stalls) calm.add('machine', from, to)
    this.calls += report.calls.length
    invariants.report(process, report, now())
    const tokens = this.#tokens.get(process) ?? new Map<string, string>()
    this.#tokens.set(process, tokens)
    for (const { target, sent } of report.calls) {
      const last = sent.at(-1)
      if (last) tokens.set(target, last.tokenId)
    }
  }

  processEvent(process: string, event: MemberEvent): void {
    const what = describeEvent(event)
    if (what !== undefined) this.#note(now(), process, what)
    if (event.type === 'leaseTaken') this.#options.moments.happens('lease', process)
  }

  processEnded(process: string): void {
    this.#tokens.delete(process)
    this.#options.invariants.processGone(process)
  }

  #look(): void {
    const { provider, invariants, calm, wire } = this.#options
    const at = now()
    if (at - this.#last > LOOK_EVERY_MS + STALL_MS) {
      calm.add('machine', this.#last, at)
      this.stalls++
    }
    this.#last = at
    const begun = provider.tokenRequests.splice(0).map((recorded) => this.#requestOf(recorded))
    for (const [recorded, request] of this.#underWay) {
      request.status = recorded.status
      if (recorded.endedAt !== undefined) request.endedAt = recorded.endedAt + PERFORMANCE_OFFSET_MS
    }
    for (const request of begun) this.#begin(request)
    for (const [recorded, request] of this.#underWay) {
      if (request.endedAt === undefined) continue
      this.#underWay.delete(recorded)
      invariants.tokenRequestEnded(request)
    }
    invariants.checkRequests(at)
    for (const api of [provider.catalog, provider.invoice]) this.apiRequests += api.requests.splice(0).length
    const { chunks, found } = wire.take()
    invariants.wire(chunks, found, at)
  }

  #begin(request: TokenRequest): void {
    const { process, target, at } = request
    this.tokenRequests++
    this.#requestsByTarget.set(target, this.requestsOf(target) + 1)
    this.#note(at, process, `requests a token for ${target}`)
    this.#options.invariants.tokenRequestBegan(request)
    this.#options.moments.happens('request', process)
  }

  #requestOf(recorded: RecordedTokenRequest): TokenRequest {
    const { targets } = this.#options
    const { clientId, scope, headers, at } = recorded
    const target =
      targets.find((each) => each.clientId === clientId && each.scope === scope)?.name ?? `${clientId} ${scope}`
    const process = String(headers['user-agent'])
    // When the process sent it. A busy server may notice it later.
    const sentAt = Number(headers['x-sent-at'] ?? at + PERFORMANCE_OFFSET_MS)
    const request = { process, target, at: sentAt, endedAt: undefined, status: 0 }
    this.#underWay.set(recorded, request)
    return request
  }

  /** What happened of late, for somebody who wants to know why an invariant is broken. */
  recent(at: number): string[] {
    return this.#recent
      .filter((each) => each.at <= at)
      .slice(-SHOWN_EVENTS)
      .map(({ at: then, text }) => `${Math.round(then - at)} ms: ${text}`)
  }

  #note(at: number, process: string, what: string): void {
    this.#recent.push({ at, text: `${process} ${what}` })
    if (this.#recent.length > 2 * KEPT_EVENTS) this.#recent = this.#recent.slice(-KEPT_EVENTS)
  }
}

/** What may explain a broken invariant. */
function describeEvent(event: MemberEvent): string | undefined {
  switch (event.type) {
    case 'activity':
    case 'tokenChanged':
    case 'callFailed':
      return undefined
    case 'tokenResponse':
      return `got ${event.status ?? 'no response'} from the token endpoint after ${Math.round(event.durationMs)} ms`
    case 'leaseTaken':
      return `took the lease of ${event.key.slice(0, 6)}`
    case 'leaseEnded':
      return `ended its lease: ${event.how}`
    case 'leaseTakenOver':
      return `took a lease over after ${Math.round(event.waitedMs)} ms`
    default:
      return event.type
  }
}
