import type { ClientDefinition, DefinitionContext } from './client-definition'
import { ConfigurationError, type ConfigurationProblem } from './errors'
import { configureClient } from './internal/clients/configure-client'
import { definitionOf } from './internal/clients/resource-metadata'
import { OptionChecks, Problems } from './internal/util/option-checks'
import { maySendSecretsTo } from './internal/util/plain-http'

/** Options of {@link protectedResource}: those of a definition, without what the metadata says. */
export interface ProtectedResourceOptions extends Omit<ClientDefinition, 'issuer' | 'tokenEndpoint' | 'resource'> {
  /**
   * The API: its resource identifier (RFC 9728 §1.2), letter by letter as its metadata names it. It is also the `resource` of token
   * requests (RFC 8707), unless {@link sendsResource} is false.
   */
  resource: string | URL
  /** The issuers that may get the client's credentials, letter by letter. The metadata can choose among them, and name no other one. */
  allowedIssuers: readonly string[]
  /** Whether token requests have the parameter `resource`. Some authorization servers refuse it. Default true. */
  sendsResource?: boolean | undefined
}

/**
 * A definition whose authorization server is named by the API itself, in its protected resource metadata (RFC 9728). That is read when
 * the client is first used. When the API responds 401 and names the URL of its metadata, it is read again: if it names another allowed
 * authorization server now, tokens come from there.
 *
 * A definition fails with `TokenRequestError` and step `resource_metadata` when the metadata cannot be read, is that of another resource,
 * or names no allowed issuer.
 *
 * @example
 * ```ts
 * clients: {
 *   'invoice.client': protectedResource({
 *     resource: 'https://api.company.com/invoice',
 *     allowedIssuers: ['https://login.company.com'],
 *     clientId: 'invoice-worker',
 *     clientSecret: process.env.INVOICE_SECRET,
 *   }),
 * }
 * ```
 * @throws ConfigurationError
 */
export function protectedResource(
  options: ProtectedResourceOptions,
): (context: DefinitionContext) => Promise<ClientDefinition> {
  const problems = new Problems()
  const checks = new OptionChecks(problems)
  if (!checks.object('protectedResource', options)) problems.throwIfAny()
  const { resource: given, allowedIssuers, sendsResource = true, ...definition } = options
  const resource = String(given)
  const url = checks.url('resource', given)
  if (url?.protocol !== undefined && url.protocol !== 'https:' && url.protocol !== 'http:')
    checks.problem('resource', 'must be an https URL')
  else if (url && !maySendSecretsTo(url, definition.allowInsecureRequests))
    checks.problem(
      'resource',
      'is plain http, so that others could name an issuer; use https, or set allowInsecureRequests',
    )
  if (resource.includes('#')) checks.problem('resource', 'has a fragment (RFC 9728 §1.2)')
  const issuers: readonly string[] = Array.isArray(allowedIssuers) ? [...allowedIssuers] : []
  if ('issuer' in options) checks.problem('issuer', 'cannot be set here: allowedIssuers has the issuers')
  if (issuers.length === 0 || issuers.some((issuer) => typeof issuer !== 'string'))
    checks.problem('allowedIssuers', 'must be an array of at least one issuer, as strings')
  checks.boolean('sendsResource', sendsResource)
  const rest: Omit<ClientDefinition, 'issuer' | 'tokenEndpoint'> = sendsResource
    ? { ...definition, resource }
    : definition
  const defaults = { timeoutMs: 1, expirationBufferMs: 0, defaultLifetimeMs: 1 }
  // What is wrong is found now, not when the client is first used.
  for (const issuer of issuers) configureClient('', { ...rest, issuer }, defaults, problems, undefined)
  if (problems.found.length > 0) throw new ConfigurationError(withoutClient(problems.found))
  return definitionOf({ resource, allowedIssuers: issuers, rest })
}

/** Each problem once. The client's name is not known here. */
function withoutClient(problems: readonly ConfigurationProblem[]): ConfigurationProblem[] {
  const each = new Map(problems.map(({ option, message }) => [`${option} ${message}`, { option, message }]))
  return [...each.values()].map(({ option, message }) => ({ option: `protectedResource: ${option}`, message }))
}
