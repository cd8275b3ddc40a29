import {
  type ClientDefinition,
  type Clock,
  createTokenManager,
  type TokenEvents,
  type TokenManager,
  type TokenManagerOptions,
  type TokenRequest,
  type TokenRequester,
  type TokenResponse,
} from '@tokenward/core'

/** A clock that moves only when a test calls `advance`. Timers that become due fire in order. */
export class TestClock implements Clock {
  #monotonic = 0
  #wall = Date.parse('2030-01-01T00:00:00Z')
  #timers = new Map<object, { at: number; callback: () => void }>()
  readonly #settle: () => Promise<void>

  constructor(settled: () => Promise<void> = settle) {
    this.#settle = settled
  }

  now = () => this.#wall
  monotonic = () => this.#monotonic
  setTimeout = (callback: () => void, delayMs: number) => {
    const timer = {}
    this.#timers.set(timer, { at: this.#monotonic + delayMs, callback })
    return () => {
      this.#timers.delete(timer)
    }
  }

  get pendingTimers(): number {
    return this.#timers.size
  }

  /** Moves both clocks forward by `ms` milliseconds and fires every timer that becomes due. */
  async advance(ms: number): Promise<void> {
    const end = this.#monotonic + ms
    await this.#settle()
    for (;;) {
      const due = [...this.#timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at)[0]
      if (!due) break
      const [timer, { at, callback }] = due
      this.#timers.delete(timer)
      this.#pass(Math.max(0, at - this.#monotonic))
      callback()
      await this.#settle()
    }
    this.#pass(end - this.#monotonic)
    await this.#settle()
  }

  /** Moves the wall clock only, as a time server does. The monotonic clock stays. */
  jumpWallClock(ms: number): void {
    this.#wall += ms
  }

  #pass(ms: number): void {
    this.#monotonic += ms
    this.#wall += ms
  }
}

/** The cryptographic operations that the platform has not ended. It runs them in other threads, so they can take long on a busy machine. */
let operations = 0

for (const name of Object.getOwnPropertyNames(SubtleCrypto.prototype) as (keyof SubtleCrypto)[]) {
  const original = SubtleCrypto.prototype[name] as unknown
  if (typeof original !== 'function' || name === ('constructor' as string)) continue
  const counted = async function (this: SubtleCrypto, ...args: unknown[]): Promise<unknown> {
    operations++
    try {
      return await original.apply(this, args)
    } finally {
      operations--
    }
  }
  Object.assign(SubtleCrypto.prototype, { [name]: counted })
}

/** Waits until all work has ended that does not depend on the clock, hashing and signing included. */
export async function settle(): Promise<void> {
  for (let idleTurns = 0; idleTurns < 3; ) {
    await new Promise((resolve) => setImmediate(resolve))
    idleTurns = operations === 0 ? idleTurns + 1 : 0
  }
}

/** A response of the scripted endpoint, an error that it throws, or a function that returns or throws one of them. */
export type ScriptedResponse = Partial<TokenResponse> | Error | (() => Promise<TokenResponse>)

/**
 * A requester whose responses a test scripts. It is a mock because the clock is one too: the tokens of a real server do not
 * expire by a test's clock. `real-server.test.ts` tests against a real server.
 */
export class ScriptedEndpoint implements TokenRequester {
  readonly requests: TokenRequest[] = []
  /** How long each response takes, in milliseconds by the test's clock. */
  latencyMs = 0
  expiresIn: number | undefined = 100
  inFlight = 0
  mostInFlight = 0
  readonly #clock: Clock
  readonly #script: ScriptedResponse[] = []
  #always: ScriptedResponse | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Sets the next responses, in order. After them, the endpoint issues tokens again. */
  respondNext(...responses: ScriptedResponse[]): void {
    this.#script.push(...responses)
  }

  /** Sets the response to every request from now on. With undefined, the endpoint issues tokens again. */
  respondAlways(response: ScriptedResponse | undefined): void {
    this.#always = response
  }

  async request(_client: unknown, request: TokenRequest): Promise<TokenResponse> {
    const number = this.requests.push(request)
    this.mostInFlight = Math.max(this.mostInFlight, ++this.inFlight)
    try {
      const latencyMs = this.latencyMs
      if (latencyMs > 0) await new Promise<void>((resolve) => this.#clock.setTimeout(resolve, latencyMs))
      const response = this.#script.shift() ?? this.#always ?? {}
      if (response instanceof Error) throw response
      if (typeof response === 'function') return await response()
      return { access_token: `token-${number}`, token_type: 'Bearer', expires_in: this.expiresIn, ...response }
    } finally {
      this.inFlight--
    }
  }
}

export const definition: ClientDefinition = {
  tokenEndpoint: 'https://as.example/token',
  clientId: 'client-id',
  clientSecret: 'client-secret',
  scope: 'catalog',
}

export interface Scripted {
  clock: TestClock
  endpoint: ScriptedEndpoint
  tokens: TokenManager<'catalog.client' | 'invoice.client'>
}

/** A manager with two clients, a test clock and a scripted endpoint. */
export function scripted(
  options: Omit<TokenManagerOptions, 'clients'> & { client?: Partial<ClientDefinition> } = {},
): Scripted {
  const { client, ...rest } = options
  const clock = new TestClock()
  const endpoint = new ScriptedEndpoint(clock)
  const tokens = createTokenManager({
    clients: {
      'catalog.client': { ...definition, ...client },
      'invoice.client': { ...definition, clientId: 'invoice-id', ...client },
    },
    requester: endpoint,
    clock,
    random: () => 0.5,
    ...rest,
  })
  return { clock, endpoint, tokens }
}

/** Every event of a manager. The compiler checks that none is missing. */
export const EVENTS: Readonly<Record<keyof TokenEvents, true>> = {
  tokenUsed: true,
  tokenRetrieved: true,
  tokenRequestFailed: true,
  renewalStarted: true,
  renewalFailed: true,
  tokenUnavailable: true,
  tokenRecovered: true,
  tokenRejected: true,
  newTokenRejected: true,
  tokenAccepted: true,
  stepUpDemanded: true,
  nonceRetried: true,
  secretRotated: true,
  circuitOpened: true,
  circuitHalfOpened: true,
  circuitClosed: true,
  leaseAwaited: true,
  leaseTakenOver: true,
  storeFailed: true,
  storeRecovered: true,
  callbackFailed: true,
}

export type Recorded = { [Name in keyof TokenEvents]: { name: Name; event: TokenEvents[Name] } }[keyof TokenEvents]

/** Records the events of a manager from now on, those that are named; all but `tokenUsed` when none is. */
export function recordEvents(tokens: Pick<TokenManager, 'on'>, ...names: (keyof TokenEvents)[]): Recorded[] {
  const events: Recorded[] = []
  const all = (Object.keys(EVENTS) as (keyof TokenEvents)[]).filter((name) => name !== 'tokenUsed')
  for (const name of names.length > 0 ? names : all) {
    tokens.on(name, (event) => void events.push({ name, event } as Recorded))
  }
  return events
}
