import type { ClientConfiguration } from '../../client-configuration'
import type { GetAccessTokenOptions } from '../../token-parameters'
import type { RequestedToken } from '../../token-requester'
import { OptionChecks, Problems } from '../util/option-checks'
import { sha256 } from '../util/sha256'
import { checkUnknown } from '../util/unknown-options'

/** Form parameters that callers cannot set, and what to use instead. */
const RESERVED: Readonly<Record<string, string>> = {
  grant_type: 'use the requester of another grant, such as tokenExchange',
  client_id: 'use clientId',
  client_secret: 'use clientSecret',
  client_assertion: 'use clientAssertion',
  client_assertion_type: 'use clientAssertion',
  scope: 'use scope',
  resource: 'use resource',
}

/** Checks `resource` in any of its forms, and returns it as strings. */
export function checkResource(checks: OptionChecks, value: unknown): readonly string[] {
  if (value === undefined) return []
  const resources: string[] = []
  for (const resource of Array.isArray(value) ? value : [value]) {
    const text = resource instanceof URL ? resource.href : resource
    if (typeof text !== 'string' || !URL.canParse(text) || text.includes('#')) {
      checks.problem('resource', 'must be absolute URIs without a fragment (RFC 8707)')
    } else resources.push(text)
  }
  return Object.freeze(resources)
}

/** Checks further form parameters, and returns them merged over `base`. An undefined one is removed. */
export function checkParameters(
  checks: OptionChecks,
  value: unknown,
  base: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  if (value === undefined || !checks.object('parameters', value)) return base
  const parameters = { ...base }
  for (const [name, text] of Object.entries(value)) {
    const option = `parameters.${name}`
    if (Object.hasOwn(RESERVED, name)) checks.problem(option, `cannot be set here: ${RESERVED[name]}`)
    else if (text === undefined) delete parameters[name]
    else if (typeof text !== 'string') checks.problem(option, `must be a string, not ${typeof text}`)
    else parameters[name] = text
  }
  return Object.freeze(parameters)
}

const CALL_OPTIONS = [
  'scope',
  'resource',
  'audience',
  'parameters',
  'clientAssertion',
  'minValidityMs',
  'forceRenewal',
  'insteadOf',
  'signal',
] as const satisfies readonly (keyof GetAccessTokenOptions)[]

/** A scope has no quotes, backslashes, control characters or characters outside of ASCII (RFC 6749 §3.3). */
const SCOPES = /^[\x21\x23-\x5b\x5d-\x7e]+( +[\x21\x23-\x5b\x5d-\x7e]+)*$/

export function checkScope(checks: OptionChecks, value: unknown): void {
  if (value === undefined || value === '') return
  if (typeof value !== 'string') checks.problem('scope', 'must be a string of scopes separated by spaces')
  else if (!SCOPES.test(value)) {
    const message =
      'must be scopes separated by spaces: printable ASCII without quotes and backslashes (RFC 6749 §3.3), no outer spaces'
    checks.problem('scope', message)
  }
}

/**
 * The definition's values, with the call's own in their place.
 *
 * @throws ConfigurationError when the call's options are wrong
 */
export function mergeRequested(client: ClientConfiguration, call: GetAccessTokenOptions): RequestedToken {
  const problems = new Problems()
  const checks = new OptionChecks(problems, client.name)
  checkUnknown(checks, call, CALL_OPTIONS)
  checkScope(checks, call.scope)
  if (call.audience !== undefined) checks.text('audience', call.audience)
  checks.amount('minValidityMs', call.minValidityMs, 0)
  checks.boolean('forceRenewal', call.forceRenewal)
  if (call.insteadOf !== undefined && !isToken(call.insteadOf)) checks.problem('insteadOf', 'must be an access token')
  checkClientAssertion(checks, call.clientAssertion)
  const requested: RequestedToken = {
    scope: call.scope ?? client.scope,
    resource: call.resource === undefined ? client.resource : checkResource(checks, call.resource),
    audience: call.audience ?? client.audience,
    parameters: checkParameters(checks, call.parameters, client.parameters),
  }
  problems.throwIfAny()
  return requested
}

/** Whether a value has what tells one token from another. */
export function isToken(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'value' in value && typeof value.value === 'string'
}

export function checkClientAssertion(checks: OptionChecks, value: unknown): void {
  if (value !== undefined && typeof value !== 'function') checks.text('clientAssertion', value)
}

/** What tells a token from all others, beside what its client and its call say. */
export interface TokenTraits {
  /** The thumbprint of the DPoP key. */
  readonly thumbprint: string | undefined
  /** What the grant is for. */
  readonly grant: string | undefined
}

/** The one way to write down what identifies a token: the same text, the same token. */
export function tokenIdentity(
  client: ClientConfiguration,
  requested: RequestedToken,
  { thumbprint, grant }: TokenTraits,
): string {
  const scopes = requested.scope?.split(' ').filter((scope) => scope !== '') ?? []
  const { audience, ...parameters } = requested.parameters
  return JSON.stringify([
    client.name,
    client.tokenEndpoint ?? client.issuer,
    client.clientId,
    sortedSet(scopes),
    sortedSet(requested.resource),
    audience ?? requested.audience ?? null,
    Object.entries(parameters).sort(([a], [b]) => compare(a, b)),
    thumbprint ?? null,
    grant ?? null,
  ])
}

/** What all tokens of a client have in common. */
export function clientIdentity({ name, tokenEndpoint, issuer, clientId }: ClientConfiguration): string {
  return JSON.stringify([name, tokenEndpoint ?? issuer, clientId])
}

/** What all requests to a token endpoint have in common. */
export function endpointIdentity({ tokenEndpoint, issuer }: ClientConfiguration): string {
  return JSON.stringify(['endpoint', tokenEndpoint ?? issuer])
}

/** The key of a token in caches and stores. */
export function tokenKey(identity: string): Promise<string> {
  return sha256(`tokenward.1${identity}`)
}

function sortedSet(values: readonly string[]): string[] {
  return [...new Set(values)].sort(compare)
}

/** By code unit: the same order on every machine, whatever its locale. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
