import {
  type ClientDefinition,
  type Clock,
  createTokenManager,
  type TokenManager,
  type TokenManagerOptions,
  type TokenRequest,
  type TokenRequester,
  type TokenResponse,
} from '@tokenward/core'

/** A clock that stands still until it is told to go on; timers fire on the way, in their order. */
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

  /** Lets `ms` milliseconds pass, and everything happen that was due in them. */
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

  /** Sets the wall clock only, as a time server or a person does. */
  jumpWallClock(ms: number): void {
    this.#wall += ms
  }

  #pass(ms: number): void {
    this.#monotonic += ms
    this.#wall += ms
  }
}

/** Lets everything go on that does not wait for the clock; hashing, which the platform does elsewhere, included. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) {
    await crypto.subtle.digest('SHA-256', new Uint8Array(1024))
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** An answer of the scripted endpoint: a response, an error to throw, or a function that gives either. */
export type ScriptedAnswer = Partial<TokenResponse> | Error | (() => Promise<TokenResponse>)

/**
 * A requester whose answers a test scripts. A mock, because the clock is one too: a real server's lifetimes cannot be
 * made to pass by it. The real server has tests of its own.
 */
export class ScriptedEndpoint implements TokenRequester {
  readonly requests: TokenRequest[] = []
  /** How long each answer takes, by the test's clock. */
  latencyMs = 0
  expiresIn: number | undefined = 100
  inFlight = 0
  mostInFlight = 0
  readonly #clock: Clock
  readonly #script: ScriptedAnswer[] = []
  #always: ScriptedAnswer | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The next answers, in order; after them come tokens again. */
  answerNext(...answers: ScriptedAnswer[]): void {
    this.#script.push(...answers)
  }

  /** The answer from now on; undefined: tokens again. */
  answerAlways(answer: ScriptedAnswer | undefined): void {
    this.#always = answer
  }

  async request(_client: unknown, request: TokenRequest): Promise<TokenResponse> {
    const number = this.requests.push(request)
    this.mostInFlight = Math.max(this.mostInFlight, ++this.inFlight)
    try {
      const latencyMs = this.latencyMs
      if (latencyMs > 0) await new Promise<void>((resolve) => this.#clock.setTimeout(resolve, latencyMs))
      const answer = this.#script.shift() ?? this.#always ?? {}
      if (answer instanceof Error) throw answer
      if (typeof answer === 'function') return await answer()
      return { access_token: `token-${number}`, token_type: 'Bearer', expires_in: this.expiresIn, ...answer }
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

/** A manager with two clients, a clock that is the test's, and an endpoint that is scripted. */
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
