import type { HttpIdentityTokenOptions, IdentityTokenSupplier } from './identity-token'
import { ask, localTransport, membersOf, shown, timeOf } from './internal/ask'
import { type Attempt, attempt } from './internal/attempt'
import { checkedToken } from './internal/checked-token'
import { isLocal } from './internal/local-hosts'
import { OptionChecks } from './internal/options'
import type { PlatformRequest } from './internal/transport'

/** Options of {@link azureManagedIdentityToken}. At most one of `clientId`, `objectId` and `resourceId`. */
export interface AzureManagedIdentityTokenOptions extends HttpIdentityTokenOptions {
  /**
   * The application id URI that the token is for. Default: the authorization server's issuer, or what a preset passes
   * (`api://AzureADTokenExchange` for {@link entraFederation}).
   */
  resource?: string | undefined
  /** The client id of a user-assigned identity. Default: the system-assigned identity. */
  clientId?: string | undefined
  /** The object (principal) id of a user-assigned identity. */
  objectId?: string | undefined
  /** The Azure resource id of a user-assigned identity. */
  resourceId?: string | undefined
  /** The origin of the instance metadata service (IMDS). Default `http://169.254.169.254`. */
  imdsOrigin?: string | undefined
}

const IMDS = 'http://169.254.169.254'
const PLATFORM = 'Azure'

/**
 * The token of a managed identity. In App Service, Functions and Container Apps it comes from `IDENTITY_ENDPOINT`, elsewhere from the
 * instance metadata service of the virtual machine. Azure itself keeps a token for hours and returns the same one. By default no proxy
 * is used. Azure Arc and Service Fabric have protocols of their own, which are not supported.
 *
 * - https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
 * - https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token
 *
 * @example
 * ```ts
 * clientAssertion: azureManagedIdentityToken({ resource: 'api://AzureADTokenExchange', clientId: '…' })
 * ```
 */
export function azureManagedIdentityToken(options: AzureManagedIdentityTokenOptions = {}): IdentityTokenSupplier {
  const checks = new OptionChecks('azureManagedIdentityToken')
  const text = 'text' as const
  const texts = { resource: text, clientId: text, objectId: text, resourceId: text, imdsOrigin: text }
  checks.known(options, { ...texts, fetch: 'function' })
  const { clientId, objectId, resourceId, imdsOrigin = IMDS } = options
  if ([clientId, objectId, resourceId].filter((id) => id !== undefined).length > 1) {
    checks.problem('clientId', 'give at most one of clientId, objectId and resourceId')
  }
  if (!URL.canParse(imdsOrigin)) checks.problem('imdsOrigin', 'does not parse as a URL')
  checks.throwIfAny()
  return (context) =>
    attempt(PLATFORM, options, context, async (current) => {
      const resource = options.resource ?? context.audience
      const { request, hints, retried, unreachable } = endpointOf(current, options)
      request.url.searchParams.set('resource', resource)
      const response = await ask(current, localTransport(options.fetch), request, { hints, retried, unreachable })
      const { access_token, token_type } = membersOf(response.body)
      const source = `the response of ${shown(request.url)}`
      if (typeof token_type === 'string' && token_type.toLowerCase() !== 'bearer') {
        throw current.error('invalid_response', `${source} has no Bearer token`)
      }
      return checkedToken(current, access_token, { source, now: timeOf(response) })
    })
}

interface Endpoint {
  readonly request: PlatformRequest
  readonly hints: Readonly<Record<number, string>>
  readonly retried?: readonly number[]
  readonly unreachable: string
}

const NO_IDENTITY = 'this resource may have no such identity'

function endpointOf(attempt: Attempt, options: AzureManagedIdentityTokenOptions): Endpoint {
  const endpoint = attempt.variable('IDENTITY_ENDPOINT')
  return endpoint === undefined ? imds(options) : appService(attempt, endpoint, options)
}

function appService(
  attempt: Attempt,
  endpoint: string,
  { clientId, objectId, resourceId }: AzureManagedIdentityTokenOptions,
): Endpoint {
  if (attempt.variable('IDENTITY_SERVER_THUMBPRINT')) {
    throw attempt.error('not_available', 'managed identities of Service Fabric are not supported')
  }
  if (attempt.variable('IMDS_ENDPOINT')) {
    throw attempt.error('not_available', 'managed identities of Azure Arc are not supported')
  }
  const header = attempt.variable('IDENTITY_HEADER')
  if (header === undefined) {
    throw attempt.error(
      'not_available',
      'environment variable IDENTITY_ENDPOINT is set, and IDENTITY_HEADER is not set',
    )
  }
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined
  // The header is a secret.
  if (!url || (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLocal(url)))) {
    const message = 'environment variable IDENTITY_ENDPOINT is neither an https URL nor on this machine'
    throw attempt.error('invalid_response', message)
  }
  url.searchParams.set('api-version', '2019-08-01')
  setId(url, { client_id: clientId, principal_id: objectId, mi_res_id: resourceId })
  return {
    request: { url, headers: { 'x-identity-header': header } },
    hints: { 400: NO_IDENTITY, 401: 'IDENTITY_HEADER was not accepted' },
    unreachable: 'the endpoint in IDENTITY_ENDPOINT does not respond',
  }
}

function imds({ clientId, objectId, resourceId, imdsOrigin = IMDS }: AzureManagedIdentityTokenOptions): Endpoint {
  const url = new URL('/metadata/identity/oauth2/token', imdsOrigin)
  url.searchParams.set('api-version', '2018-02-01')
  setId(url, { client_id: clientId, object_id: objectId, msi_res_id: resourceId })
  return {
    request: { url, headers: { metadata: 'true' } },
    hints: { 400: NO_IDENTITY },
    retried: [404, 410],
    unreachable: 'not running on Azure: IDENTITY_ENDPOINT is not set, and there is no instance metadata service',
  }
}

function setId(url: URL, ids: Readonly<Record<string, string | undefined>>): void {
  for (const [name, id] of Object.entries(ids)) {
    if (id !== undefined) url.searchParams.set(name, id)
  }
}
