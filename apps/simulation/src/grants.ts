import type { Random } from './random'
import type { RequestUnderWay } from './request-under-way'
import type { RefreshTokenPlan } from './scenario'
import type { Host, World } from './world'

/** A mark in refresh tokens, which must not be seen in the wrong place. */
export const REFRESH_MARK = 'R3FRESH.'

/** A refresh token that the server issued, and the truth about it. */
export interface IssuedRefreshToken {
  readonly value: string
  readonly client: string
  /** Counts the consents that a person gave to the client. */
  readonly consent: number
  /** The request whose response has it. Undefined: a person got it. */
  readonly request: RequestUnderWay | undefined
  /** What the server issued in its place: more than one when it was used again in its grace period. */
  readonly successors: IssuedRefreshToken[]
  usedAt: number | undefined
  /** `lost`: no process has it, and the store never had it. */
  fate: 'under way' | 'received' | 'lost' | 'stored'
}

/** What a person allowed a client, and may allow again. */
interface Consent {
  readonly plan: RefreshTokenPlan
  number: number
  first: string
  since: number
  isRevoked: boolean
}

/** A person gives a new consent some time after the loss of a grant. */
const LEAST_LOSS_MS = 1_000
const LONGEST_LOSS_MS = 60_000

/** The grants of the clients that use refresh tokens. A refresh token that is used again after its grace period ends its grant. */
export class Grants {
  readonly #world: World
  readonly #random: Random
  readonly #consents = new Map<string, Consent>()
  readonly #tokens = new Map<string, IssuedRefreshToken>()
  /** Those that the store never had. */
  readonly #unstored = new Map<string, IssuedRefreshToken>()
  #number = 0
  /**
   * Called when a refresh token is used again that was replaced. The grant ends then. `isLate`: the process does not wait for the response
   * any more.
   */
  onReuse: (token: IssuedRefreshToken, isLate: boolean) => void = () => {}
  /** Called when a person has given a new consent. */
  onConsent: (client: string) => void = () => {}

  constructor(world: World, clients: readonly { readonly name: string; readonly refreshToken?: RefreshTokenPlan }[]) {
    this.#world = world
    this.#random = world.random.fork('grants')
    for (const { name, refreshToken: plan } of clients) {
      if (plan) this.#consents.set(name, { plan, number: 0, first: '', since: 0, isRevoked: true })
      this.consent(name)
    }
  }

  /** The first refresh token of the newest consent. Undefined: the client uses none. */
  firstOf(client: string): string | undefined {
    return this.#consents.get(client)?.first
  }

  find(value: string): IssuedRefreshToken | undefined {
    return this.#tokens.get(value)
  }

  consentOf(client: string): Readonly<Consent> | undefined {
    return this.#consents.get(client)
  }

  /** A person gives a new consent, in place of the one before. */
  consent(client: string): void {
    const consent = this.#consents.get(client)
    if (!consent) return
    consent.number++
    consent.since = this.#world.scheduler.now
    consent.isRevoked = false
    consent.first = this.#issue(client, undefined).value
  }

  /** The response to a request with a refresh token. Undefined: it is not valid. */
  use(
    client: string,
    request: RequestUnderWay,
    isLate: boolean,
  ): { readonly next: IssuedRefreshToken | undefined } | undefined {
    const consent = this.#consents.get(client)
    const token = this.#tokens.get(request.refreshToken ?? '')
    if (!consent || token?.client !== client || token.consent !== consent.number || consent.isRevoked) return undefined
    const { now } = this.#world.scheduler
    const { rotates, graceMs } = consent.plan
    if (!rotates) return { next: undefined }
    if (token.usedAt !== undefined && now > token.usedAt + graceMs) {
      this.onReuse(token, isLate)
      this.revoke(client)
      return undefined
    }
    token.usedAt ??= now
    const next = this.#issue(client, request)
    token.successors.push(next)
    return { next }
  }

  /** The grant is lost. A person notices it, and gives a new consent. */
  revoke(client: string): void {
    const consent = this.#consents.get(client)
    if (!consent || consent.isRevoked) return
    consent.isRevoked = true
    const { number } = consent
    this.#world.scheduler.in(this.#random.between(LEAST_LOSS_MS, LONGEST_LOSS_MS), () => {
      if (consent.number !== number) return
      this.consent(client)
      this.onConsent(client)
    })
  }

  #issue(client: string, request: RequestUnderWay | undefined): IssuedRefreshToken {
    const consent = this.#consents.get(client)?.number ?? 0
    const value = `${REFRESH_MARK}${++this.#number}.`
    const token: IssuedRefreshToken = {
      value,
      client,
      consent,
      request,
      successors: [],
      usedAt: undefined,
      fate: 'under way',
    }
    this.#tokens.set(value, token)
    if (request) this.#unstored.set(value, token)
    return token
  }

  /** Notes what became of the response that has this refresh token. */
  noteResponse(token: IssuedRefreshToken | undefined, fate: 'received' | 'lost'): void {
    if (token?.fate === 'under way') token.fate = fate
  }

  /** What a process that died had in memory only is lost. */
  forget(host: Host): void {
    for (const [value, token] of this.#unstored) {
      if (token.request?.host !== host) continue
      token.fate = 'lost'
      this.#unstored.delete(value)
    }
  }

  /** A key of the store has a new value. */
  noteStored(text: string): void {
    for (const [value, token] of this.#unstored) {
      if (!text.includes(value)) continue
      token.fate = 'stored'
      this.#unstored.delete(value)
    }
  }
}

/** All refresh tokens that were issued in place of this one, directly or not. */
export function* successorsOf(token: IssuedRefreshToken): Generator<IssuedRefreshToken> {
  for (const next of token.successors) {
    yield next
    yield* successorsOf(next)
  }
}
