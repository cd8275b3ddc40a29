import {
  ConfigurationError,
  type ConfigurationProblem,
  createTokenManager,
  type GetAccessTokenOptions,
  type TokenManager,
  type TokenRequestErrorReason,
  UnknownClientError,
} from '@tokenward/core'
import { ScriptedRequester } from './scripted-requester'
import { readClient, type TestClient, type TestTokenRequest } from './test-client'
import { TestClock } from './test-clock'
import { checkFailure, type TestFailure } from './test-failure'

/** Options of {@link createTestTokens}. */
export interface TestTokensOptions<Name extends string = string> {
  /** The clients by name. A name that is not here is unknown, as it is to a token manager of your own. */
  clients: Readonly<Record<Name, TestClient>>
  /** The time. Default: a new {@link TestClock} that stands at the current time. */
  clock?: TestClock | undefined
}

/** A call of `getAccessToken`, by your code or by an adapter. */
export interface TestCall {
  /** The client's name. */
  readonly client: string
  /** The options of the call, without those that were undefined. */
  readonly options: Readonly<GetAccessTokenOptions>
}

/** A 401 that your code or an adapter reported. */
export interface TestRejection {
  /** The client's name. */
  readonly client: string
  /** The value of the token that was rejected. */
  readonly value: string
  /** The origin of the API that rejected it, where it is known. */
  readonly origin: string | undefined
  /** Whether a new token is requested now. False during the pause after earlier rejections, see `rejectAccessToken`. */
  readonly willRenew: boolean
}

/**
 * A token manager for tests. It caches, renews and replaces tokens as every token manager does. Its token requests reach nobody:
 * a script responds to them.
 */
export interface TestTokens<Name extends string = string> extends TokenManager<Name> {
  /** The time of this manager. It stands still until the test advances it. */
  readonly clock: TestClock
  /** Every call of `getAccessToken`, in order, by your code or by an adapter. */
  readonly calls: readonly TestCall[]
  /** Every token request, in order. There are fewer of them than calls, because tokens are cached. */
  readonly requests: readonly TestTokenRequest[]
  /** Every rejected token, in order. */
  readonly rejections: readonly TestRejection[]
  /**
   * Makes the next token request of the client fail. Call it twice, and the next two fail. A valid token in the cache stays in
   * use: `clear` removes it.
   *
   * @example
   * tokens.failNext('invoice.client', 'invalid_client')
   * tokens.failNext('invoice.client', { error: 'server_error', retryAfterMs: 5_000 })
   *
   * @throws UnknownClientError when no client has that name
   * @throws ConfigurationError when the failure is none
   */
  failNext(client: Name, failure: TestFailure | TokenRequestErrorReason): void
  /** Makes every token request of the client fail, until {@link recover} is called. It throws what {@link failNext} throws. */
  failAlways(client: Name, failure: TestFailure | TokenRequestErrorReason): void
  /**
   * Ends what {@link failNext} and {@link failAlways} have scripted. After a failure, tokenward pauses before the next token
   * request: for `retryAfterMs`, else for half a second at first. Advance the clock to get over that.
   *
   * @throws UnknownClientError when no client has that name
   */
  recover(client: Name): void
}

/**
 * A failed token request must fail the call at once, because nobody advances the clock meanwhile. A manager retries only what fits
 * into three times this limit, and even its first pause does not. The clock stands still during a request, so no request exceeds
 * the limit.
 */
const TIMEOUT_MS = 10

/**
 * Makes a token manager for unit tests. Pass it to your code, or to `createFetch` and the other adapters, in place of the one that
 * `createTokenManager` returns. No token request leaves the process.
 *
 * @example
 * const tokens = createTestTokens({ clients: { 'invoice.client': { value: 'secret-token' } } })
 * const { value } = await tokens.getAccessToken('invoice.client') // secret-token
 *
 * @throws ConfigurationError when the options are wrong
 */
export function createTestTokens<const Name extends string>(options: TestTokensOptions<Name>): TestTokens<Name> {
  const { scripts, clock } = readOptions(options)
  const requester = new ScriptedRequester(scripts)
  const definitions = [...scripts].map(([name, { definition }]) => [name, definition])
  const manager: TokenManager<Name> = createTokenManager<Name>({
    clients: Object.fromEntries(definitions),
    requester,
    clock,
    // The middle of what is drawn at random: tokens are renewed ahead at exactly 80 % of their lifetime.
    random: () => 0.5,
    timeoutMs: TIMEOUT_MS,
  })
  const calls: TestCall[] = []
  const rejections: TestRejection[] = []
  const getAccessToken = manager.getAccessToken.bind(manager)
  const readyAccessToken = manager.readyAccessToken?.bind(manager)
  const rejectAccessToken = manager.rejectAccessToken.bind(manager)

  const known = (client: string): string => {
    if (scripts.has(client)) return client
    throw new UnknownClientError(client, [...scripts.keys()])
  }
  // The methods are replaced in the manager itself, so that calls of its other methods and of adapters are recorded too.
  return Object.assign(manager, {
    clock,
    calls,
    requests: requester.requests,
    rejections,
    getAccessToken(client: Name, call: GetAccessTokenOptions = {}) {
      calls.push(Object.freeze({ client, options: definedOnly(call) }))
      return getAccessToken(client, call)
    },
    // Adapters call it first, and `getAccessToken` when there is no token yet.
    readyAccessToken(client: Name, call: GetAccessTokenOptions = {}) {
      const token = readyAccessToken?.(client, call)
      if (token) calls.push(Object.freeze({ client, options: definedOnly(call) }))
      return token
    },
    async rejectAccessToken(...given: Parameters<TokenManager<Name>['rejectAccessToken']>) {
      const [client, token, , origin] = given
      const willRenew = await rejectAccessToken(...given)
      rejections.push(Object.freeze({ client, value: token.value, origin, willRenew }))
      return willRenew
    },
    failNext: (client: Name, failure: TestFailure | TokenRequestErrorReason) =>
      requester.failNext(known(client), checkFailure(client, failure)),
    failAlways: (client: Name, failure: TestFailure | TokenRequestErrorReason) =>
      requester.failAlways(known(client), checkFailure(client, failure)),
    recover: (client: Name) => requester.recover(known(client)),
  })
}

const OPTIONS: readonly string[] = ['clients', 'clock'] satisfies readonly (keyof TestTokensOptions)[]

function readOptions<Name extends string>(options: TestTokensOptions<Name>) {
  const problems: ConfigurationProblem[] = []
  const { clients, clock = new TestClock() } = options ?? {}
  for (const option of Object.keys(options ?? {})) {
    if (!OPTIONS.includes(option)) problems.push({ option, message: `is not an option; known: ${OPTIONS.join(', ')}` })
  }
  if (!(clock instanceof TestClock)) {
    problems.push({ option: 'clock', message: 'must be a TestClock, which stands still until a test advances it' })
  }
  if (typeof clients !== 'object' || clients === null) {
    problems.push({
      option: 'clients',
      message: "must be an object with the clients by name: { 'invoice.client': {} }",
    })
  }
  const named = Object.entries<TestClient>(clients ?? {})
  const scripts = new Map(named.map(([name, client]) => [name, readClient(name, client, problems)]))
  if (problems.length > 0) throw new ConfigurationError(problems)
  return { scripts, clock }
}

function definedOnly(options: GetAccessTokenOptions): Readonly<GetAccessTokenOptions> {
  return Object.freeze(Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)))
}
