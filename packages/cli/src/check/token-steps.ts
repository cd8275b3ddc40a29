import { type AccessToken, ClientSecretBasic, ClientSecretPost, type TokenRequestError } from '@tokenward/core'
import type { CheckStep } from '../check-report'
import type { ReadyClient } from '../definition/client-definition'
import { type Acquired, acquireToken, type CheckedClient, managerOf } from './acquire-token'
import type { CheckContext } from './context'
import { explainDiscovery } from './explain-discovery'
import { explainTokenError } from './explain-token-error'
import { findIssuer } from './find-issuer'
import { clockProblem, type RequestFacts, supported } from './request-facts'
import { serverSteps } from './server-steps'
import { failed, passed } from './step'
import { dpopStep, tokenStep } from './token-step'

/** Requests a token, and tells what that says about discovery, the client's authentication and the token. */
export async function* tokenSteps(
  context: CheckContext,
  client: ReadyClient,
  tokens: CheckedClient,
): AsyncGenerator<CheckStep, AccessToken | undefined> {
  const { settings, observed, text } = context
  let nonceRetries = 0
  const stop = tokens.on('nonceRetried', () => nonceRetries++)
  const { token, error } = await acquireToken(tokens)
  stop()
  if (error?.step === 'discovery') {
    yield* failedDiscovery(context, client, error)
    return undefined
  }
  if (settings.issuer !== undefined && error?.step !== 'supplier') yield discoveryStep(context, client)
  if (error) {
    yield* failedRequest(context, client, error)
    return undefined
  }
  text.addSecret(token.value)
  const { secretIndex = 0 } = tokens.status().clients.client ?? {}
  const warnings = [clockProblem(observed.clockAheadSeconds), secretWarning(secretIndex)].filter(
    (each) => each !== undefined,
  )
  yield passed(
    'authentication',
    `the server accepts ${client.method}`,
    authenticationDetails(context, client),
    warnings,
  )
  yield tokenStep(context, token)
  if (token.type === 'DPoP') yield await dpopStep(client, token, nonceRetries)
  return token
}

function discoveryStep({ observed, text, settings }: CheckContext, { method, definition }: ReadyClient): CheckStep {
  const { metadata } = observed
  const endpoint = text.quote(String(metadata?.token_endpoint))
  const methods = supported(metadata, 'token_endpoint_auth_methods_supported')
  const grants = supported(metadata, 'grant_types_supported')
  const algorithms = supported(metadata, 'dpop_signing_alg_values_supported')
  const warnings: string[] = []
  if (settings.issuer?.includes('/.well-known/'))
    warnings.push(
      `This is the URL of the metadata. Use the issuer, so that it is compared: ${text.quote(String(metadata?.issuer))}`,
    )
  if (methods && method !== 'client_assertion' && !methods.includes(method))
    warnings.push(
      `The metadata does not list ${method}. It lists ${methods.map((each) => text.quote(each)).join(', ')}.`,
    )
  if (grants && !grants.includes('client_credentials'))
    warnings.push('The metadata does not list the client credentials grant.')
  if (definition.dpop && !algorithms) warnings.push('The metadata does not say that the server supports DPoP.')
  const details = text.value({
    issuer: settings.issuer,
    token_endpoint: metadata?.token_endpoint,
    token_endpoint_auth_methods_supported: methods,
    dpop_signing_alg_values_supported: algorithms,
  })
  return passed('discovery', `the token endpoint is ${endpoint}`, details as CheckStep['details'], warnings)
}

async function* failedDiscovery(
  context: CheckContext,
  client: ReadyClient,
  error: TokenRequestError,
): AsyncGenerator<CheckStep> {
  const { observed, text, settings } = context
  const { issuer = '' } = settings
  const published = observed.metadata?.issuer
  const shown = typeof published === 'string' ? text.quote(published) : undefined
  const found = error.status === 404 ? await findIssuer(issuer, client.transport, client.timeoutMs) : undefined
  const quoted = found && { issuer: text.quote(found.issuer) }
  const details = { url: error.url, status: error.status }
  const explanation = explainDiscovery(error, issuer, shown, quoted) ?? explainTokenError(error, context.facts(client))
  yield failed('discovery', explanation, details)
}

async function* failedRequest(
  context: CheckContext,
  client: ReadyClient,
  error: TokenRequestError,
): AsyncGenerator<CheckStep> {
  const { observed, environment } = context
  const details = { url: error.url, status: error.status, ...authenticationDetails(context, client) }
  if (error.error === 'network_error' && error.url !== undefined) {
    // Another host than the issuer's: it says why.
    for await (const step of serverSteps(new URL(error.url), client, environment)) {
      yield step
      if (step.status === 'failed') return
    }
  }
  const facts: RequestFacts = {
    ...context.facts(client),
    ...(error.error === 'invalid_client' && { acceptedMethod: await otherMethod(client) }),
  }
  const explanation = explainTokenError(error, facts)
  // Some servers call a client assertion that is none an invalid request.
  const isAboutClient =
    error.error === 'invalid_request' && /client[ _]a(ssertion|uthentication)/i.test(error.errorDescription ?? '')
  if (isAboutClient || error.error === 'invalid_client' || error.error === 'credential_unavailable') {
    yield failed('authentication', explanation, details)
    return
  }
  if (error.error === 'network_error' || error.error === 'timeout') {
    yield failed('connection', explanation, details)
    return
  }
  // Servers look at the client before they look at what it requests.
  if (observed.responses.some(({ method, status }) => method === 'POST' && status === 400) && isOAuthError(error))
    yield passed('authentication', `the server accepts ${client.method}`, authenticationDetails(context, client))
  yield failed('token', explanation, details)
}

function isOAuthError({ error }: TokenRequestError): boolean {
  return ['invalid_scope', 'invalid_target', 'unauthorized_client'].includes(error)
}

function authenticationDetails(context: CheckContext, client: ReadyClient): CheckStep['details'] {
  const { observed, text } = context
  const { assertion } = context.facts(client)
  return {
    method: client.method,
    clockAheadSeconds: observed.clockAheadSeconds,
    ...(client.key && { key: { alg: client.key.alg, kid: client.key.kid } }),
    ...(assertion && { assertion: text.value({ header: assertion.header, claims: assertion.claims }) }),
  }
}

function secretWarning(index: number): string | undefined {
  if (index === 0) return undefined
  return `The server does not accept the first secret, but number ${index + 1}. Register the first one there before the others are removed.`
}

/**
 * Whether the server accepts the same secret by the other of the two usual methods. That tells a wrong method from a wrong
 * secret, which have the same error. It is one more request.
 */
async function otherMethod({ method, secrets: [secret = ''], definition }: ReadyClient): Promise<string | undefined> {
  if (method !== 'client_secret_basic' && method !== 'client_secret_post') return undefined
  const isBasic = method === 'client_secret_basic'
  const clientAuth = isBasic ? ClientSecretPost(secret) : ClientSecretBasic(secret)
  const tokens = managerOf({ ...definition, clientSecret: undefined, clientAuth })
  const { error }: Acquired = await acquireToken(tokens)
  await tokens.close()
  const isAccepted = !error || isOAuthError(error) || error.error === 'invalid_grant'
  return isAccepted ? (isBasic ? 'client_secret_post' : 'client_secret_basic') : undefined
}
