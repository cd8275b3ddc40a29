import type { ClientConfiguration } from '../../client-configuration'
import type { TokenParameters } from '../../token-parameters'
import type { RequestedToken } from '../../token-requester'
import { OptionChecks, Problems } from '../util/option-checks'

/** Form parameters that have an option of their own, or are none of the caller's business. */
const RESERVED: Readonly<Record<string, string>> = {
  grant_type: 'a definition that needs another grant brings its own requester',
  client_id: 'use clientId',
  client_secret: 'use clientSecret',
  client_assertion: 'use clientAssertion',
  client_assertion_type: 'use clientAssertion',
  scope: 'use scope',
  resource: 'use resource',
}

/** Checks `resource` in any of its forms and gives it as strings. */
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

/** Checks further form parameters and gives them without the undefined ones, `base` under them. */
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

/**
 * The definition's values with the call's own in their place.
 *
 * @throws ConfigurationError when the call's cannot be right.
 */
export function requestedToken(client: ClientConfiguration, call: TokenParameters): RequestedToken {
  const problems = new Problems()
  const checks = new OptionChecks(problems, client.name)
  if (call.scope !== undefined && typeof call.scope !== 'string') checks.problem('scope', 'must be a string')
  if (call.audience !== undefined) checks.text('audience', call.audience)
  checks.amount('minValidityMs', call.minValidityMs, 0)
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

export function checkClientAssertion(checks: OptionChecks, value: unknown): void {
  if (value !== undefined && typeof value !== 'function') checks.text('clientAssertion', value)
}

/** The one way to write down what identifies a token: equal texts, same token. */
export function tokenIdentity(
  client: ClientConfiguration,
  requested: RequestedToken,
  dpopThumbprint: string | undefined,
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
    dpopThumbprint ?? null,
  ])
}

/** What all tokens of a client have in common, whatever is asked for. */
export function clientIdentity({ name, tokenEndpoint, issuer, clientId }: ClientConfiguration): string {
  return JSON.stringify([name, tokenEndpoint ?? issuer, clientId])
}

/** The key of a token in caches and stores: a SHA-256 in hexadecimal. Nothing can be read out of it. */
export async function tokenKey(identity: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(`tokenward.1${identity}`))
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

function sortedSet(values: readonly string[]): string[] {
  return [...new Set(values)].sort(compare)
}

/** By code unit: the same order on every machine, whatever its locale. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
