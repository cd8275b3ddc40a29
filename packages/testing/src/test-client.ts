import {
  type ClientDefinition,
  ConfigurationError,
  type ConfigurationProblem,
  type RequestedToken,
  TokenRequestError,
} from '@tokenward/core'

/** A token request that tokenward made: what a real token endpoint would have got. */
export interface TestTokenRequest extends RequestedToken {
  /** The client's name. */
  readonly client: string
  /** The client assertion of the call, if it had one. Its supplier was called for it. */
  readonly clientAssertion: string | undefined
}

/**
 * The values of a client's tokens: one for all of them, several for the first ones in turn, or a function of each request. A token
 * consists of printable ASCII characters without spaces.
 */
export type TestValue = string | readonly string[] | ((request: TestTokenRequest) => string | Promise<string>)

type ValueFunction = (request: TestTokenRequest) => string | Promise<string>

/** A client of test tokens. Each option has a default: `{}` is enough. */
export interface TestClient
  extends Pick<ClientDefinition, 'scope' | 'resource' | 'audience' | 'parameters' | 'dpop' | 'allowInsecureRequests'> {
  /**
   * What its tokens are. After the last value of an array, and without this option: `<client>-token-<number>`, with the number of
   * the token request. With one value for all tokens, a new token is the same as the old one, so that a request is not sent again
   * after a 401.
   */
  value?: TestValue | undefined
  /** How long its tokens live, in milliseconds of the test clock. Default 3,600,000: an hour. */
  lifetimeMs?: number | undefined
  /** The scope that is granted. Default: the one that is requested. */
  grantedScope?: string | undefined
}

/** The options of {@link TestClient} that a definition does not have. */
interface Script extends Omit<TestClient, keyof ClientDefinition> {}

const SCRIPT_OPTIONS = ['value', 'lifetimeMs', 'grantedScope'] as const satisfies readonly (keyof Script)[]
const DEFINITION_OPTIONS = [
  'scope',
  'resource',
  'audience',
  'parameters',
  'dpop',
  'allowInsecureRequests',
] as const satisfies readonly (keyof TestClient)[]

const DEFAULT_LIFETIME_MS = 3_600_000

/** A checked copy of a test client. */
export interface ScriptedClient {
  readonly definition: ClientDefinition
  readonly value: TestValue
  readonly lifetimeMs: number
  readonly grantedScope: string | undefined
}

/**
 * A checked copy of `client`. What is wrong with it is added to `problems`. Core checks the options of a definition, unknown ones
 * included.
 */
export function readClient(name: string, client: TestClient, problems: ConfigurationProblem[]): ScriptedClient {
  const problem = (option: string, message: string) => void problems.push({ client: name, option, message })
  if (typeof client !== 'object' || client === null) {
    problem('client', `must be an object; {} is enough`)
    return { definition: definitionOf(name, {}), value: [], lifetimeMs: DEFAULT_LIFETIME_MS, grantedScope: undefined }
  }
  const { value = [], lifetimeMs = DEFAULT_LIFETIME_MS, grantedScope, ...rest } = client
  const known: readonly string[] = [...SCRIPT_OPTIONS, ...DEFINITION_OPTIONS]
  for (const option of Object.keys(rest)) {
    if (!known.includes(option)) problem(option, `is not an option of a test client; known: ${known.join(', ')}`)
  }
  if (typeof value !== 'function') {
    for (const each of typeof value === 'string' ? [value] : Array.isArray(value) ? value : [undefined]) {
      if (!isTokenValue(each)) problem('value', `must be a token, an array of tokens or a function; ${NOT_A_TOKEN}`)
    }
  }
  if (typeof lifetimeMs !== 'number' || !Number.isFinite(lifetimeMs) || lifetimeMs < 0) {
    problem('lifetimeMs', `must be a finite number of milliseconds, at least 0, not ${String(lifetimeMs)}`)
  }
  if (grantedScope !== undefined && typeof grantedScope !== 'string') problem('grantedScope', 'must be a string')
  const copied = Array.isArray(value) ? [...value] : value
  return { definition: definitionOf(name, rest), value: copied, lifetimeMs, grantedScope }
}

/**
 * `.invalid` (RFC 2606), so that nothing can be sent there. Each client has an endpoint of its own, because clients of the same
 * endpoint fail together.
 */
function definitionOf(name: string, options: Omit<TestClient, keyof Script>): ClientDefinition {
  return {
    scope: options.scope,
    resource: options.resource,
    audience: options.audience,
    parameters: options.parameters,
    dpop: options.dpop,
    allowInsecureRequests: options.allowInsecureRequests,
    tokenEndpoint: `https://test.invalid/${encodeURIComponent(name)}/token`,
    clientId: name === '' ? 'client' : name,
  }
}

const NOT_A_TOKEN = 'a token consists of printable ASCII characters without spaces'

function isTokenValue(value: unknown): value is string {
  return typeof value === 'string' && /^[\x21-\x7e]+$/.test(value)
}

/**
 * The value of the token for a client's request number `number`, from 1.
 *
 * @throws ConfigurationError when the function throws, or returns no token
 */
export async function valueFor(value: TestValue, request: TestTokenRequest, number: number): Promise<string> {
  if (typeof value === 'string') return value
  if (typeof value !== 'function') return value[number - 1] ?? `${asToken(request.client)}-token-${number}`
  const result = await callValue(value, request)
  if (isTokenValue(result)) return result
  throw wrongValue(request, `returned ${typeof result === 'string' ? `'${result}'` : typeof result}; ${NOT_A_TOKEN}`)
}

async function callValue(value: ValueFunction, request: TestTokenRequest): Promise<unknown> {
  try {
    return await value(request)
  } catch (error) {
    // A TokenRequestError is a failure that the function scripts.
    throw error instanceof TokenRequestError ? error : wrongValue(request, `threw ${String(error)}`)
  }
}

function wrongValue({ client }: TestTokenRequest, message: string): ConfigurationError {
  return new ConfigurationError([{ client, option: 'value', message }])
}

function asToken(name: string): string {
  return name.replace(/[^\x21-\x7e]/g, '-')
}
