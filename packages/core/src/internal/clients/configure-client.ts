import type { ClientConfiguration } from '../../client-configuration'
import type { ClientDefinition } from '../../client-definition'
import { MOST_SECRETS } from '../endpoint/client-secrets'
import { withHidden } from '../util/hidden'
import { OptionChecks, type Problems } from '../util/option-checks'
import { maySendSecretsTo } from '../util/plain-http'
import { checkUnknown } from '../util/unknown-options'
import { checkDPoP, type DPoPProver } from './dpop-prover'
import { checkClientAssertion, checkParameters, checkResource, checkScope } from './resolved-request'

/** The manager's options that apply to a definition without its own. */
export interface ClientDefaults {
  readonly timeoutMs: number
  readonly expirationBufferMs: number
  readonly defaultLifetimeMs: number
}

const DEFINITION_OPTIONS = [
  'tokenEndpoint',
  'issuer',
  'clientId',
  'clientSecret',
  'clientAuth',
  'clientAssertion',
  'scope',
  'resource',
  'audience',
  'parameters',
  'dpop',
  'mtls',
  'fetch',
  'timeoutMs',
  'expirationBufferMs',
  'defaultLifetimeMs',
  'allowInsecureRequests',
  'requester',
] as const satisfies readonly (keyof ClientDefinition)[]

/** Checks a definition, adds what is wrong with it to `problems`, and copies it. */
export function configureClient(
  name: string,
  definition: ClientDefinition,
  defaults: ClientDefaults,
  problems: Problems,
  dpop: DPoPProver | undefined,
): ClientConfiguration | undefined {
  const checks = new OptionChecks(problems, name)
  if (!checks.object('definition', definition)) return undefined
  checkUnknown(checks, definition, DEFINITION_OPTIONS)
  checks.text('clientId', definition.clientId)
  checkServer(checks, definition)
  checkAuthentication(checks, definition)
  checkScope(checks, definition.scope)
  checks.optionalText('audience', definition.audience)
  const resource = checkResource(checks, definition.resource)
  const parameters = checkParameters(checks, definition.parameters)
  checks.function('fetch', definition.fetch)
  checks.amount('timeoutMs', definition.timeoutMs, 1)
  checks.amount('expirationBufferMs', definition.expirationBufferMs, 0)
  checks.amount('defaultLifetimeMs', definition.defaultLifetimeMs, 1)
  checks.boolean('allowInsecureRequests', definition.allowInsecureRequests)
  checks.boolean('mtls', definition.mtls)
  checks.methods('requester', definition.requester, ['request'])
  checkDPoP(checks, definition.dpop)
  return withHidden(
    {
      name,
      tokenEndpoint: definition.tokenEndpoint?.toString(),
      issuer: definition.issuer?.toString(),
      clientId: definition.clientId,
      scope: definition.scope,
      resource,
      audience: definition.audience,
      timeoutMs: definition.timeoutMs ?? defaults.timeoutMs,
      expirationBufferMs: definition.expirationBufferMs ?? defaults.expirationBufferMs,
      defaultLifetimeMs: definition.defaultLifetimeMs ?? defaults.defaultLifetimeMs,
      allowInsecureRequests: definition.allowInsecureRequests ?? false,
      mtls: definition.mtls ?? false,
    },
    {
      clientSecret: Array.isArray(definition.clientSecret)
        ? Object.freeze([...definition.clientSecret])
        : definition.clientSecret,
      clientAuth: definition.clientAuth,
      clientAssertion: definition.clientAssertion,
      // Their values may be secrets, such as a password.
      parameters,
      dpopKeyPair: dpop && (() => dpop.keyPair()),
      fetch: definition.fetch ?? ((input: RequestInfo | URL, init?: RequestInit) => fetch(input, init)),
    },
  )
}

function checkServer(checks: OptionChecks, definition: ClientDefinition): void {
  const { tokenEndpoint, issuer } = definition
  if (tokenEndpoint === undefined && issuer === undefined) {
    const message = 'missing: give the URL of the token endpoint, or an issuer whose metadata names it'
    checks.problem('tokenEndpoint', message)
    return
  }
  if (tokenEndpoint !== undefined && issuer !== undefined) {
    checks.problem('tokenEndpoint', 'cannot be combined with issuer: give one of them')
    return
  }
  const option = tokenEndpoint === undefined ? 'issuer' : 'tokenEndpoint'
  const url = checks.url(option, tokenEndpoint ?? issuer)
  if (!url) return
  if (url.protocol !== 'https:' && url.protocol !== 'http:') checks.problem(option, 'must be an https URL')
  else if (!maySendSecretsTo(url, definition.allowInsecureRequests)) {
    checks.problem(option, 'would send the secret by plain http; use https, or set allowInsecureRequests')
  }
  if (url.hash !== '') checks.problem(option, 'has a fragment, which is not sent in requests')
}

function checkAuthentication(checks: OptionChecks, definition: ClientDefinition): void {
  const { clientSecret, clientAuth, clientAssertion } = definition
  checks.function('clientAuth', clientAuth)
  checkClientAssertion(checks, clientAssertion)
  if (clientSecret !== undefined) {
    if (Array.isArray(clientSecret)) checkSecrets(checks, clientSecret)
    else if (typeof clientSecret !== 'function') checks.text('clientSecret', clientSecret)
    if (clientAuth !== undefined)
      checks.problem('clientSecret', 'cannot be combined with clientAuth: pass the secret to the clientAuth')
    if (clientAssertion !== undefined)
      checks.problem('clientSecret', 'cannot be combined with clientAssertion: give one of them')
  } else if (clientAuth !== undefined && clientAssertion !== undefined) {
    checks.problem('clientAuth', 'cannot be combined with clientAssertion: give one of them')
  } else if ('clientSecret' in definition && clientAuth === undefined && clientAssertion === undefined) {
    checks.problem('clientSecret', 'is undefined: is the environment variable set that it comes from?')
  }
}

function checkSecrets(checks: OptionChecks, secrets: readonly unknown[]): void {
  if (secrets.length === 0) checks.problem('clientSecret', 'is an empty array: give at least one secret')
  if (secrets.length > MOST_SECRETS) {
    checks.problem('clientSecret', `has ${secrets.length} secrets; at most ${MOST_SECRETS} are tried`)
  }
  for (const [index, secret] of secrets.entries()) {
    const option = `clientSecret[${index}]`
    const first = secrets.indexOf(secret)
    if (secret === undefined)
      checks.problem(option, 'is undefined: is the environment variable set that it comes from?')
    else if (checks.text(option, secret) && first < index)
      checks.problem(option, `is the same as clientSecret[${first}]`)
  }
}
