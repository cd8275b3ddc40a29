import { type ClientDefinition, ConfigurationError, type ConfigurationProblem } from '@tokenward/core'
import { fileToken } from './file-token'
import type { Environment, IdentityTokenSupplier } from './identity-token'

/** Options of {@link entraFederation}. */
export interface EntraFederationOptions {
  /** What to request: the API's application id URI and `/.default`. */
  scope: string
  /** The directory (tenant): its id or a domain. Default: `AZURE_TENANT_ID`. */
  tenantId?: string | undefined
  /** The client id of the app registration or of the user-assigned identity. Default: `AZURE_CLIENT_ID`. */
  clientId?: string | undefined
  /** The token of the platform. Default: the file that `AZURE_FEDERATED_TOKEN_FILE` names, as AKS sets it. */
  clientAssertion?: IdentityTokenSupplier | undefined
  /** The cloud. Default: `AZURE_AUTHORITY_HOST`, else `https://login.microsoftonline.com`. */
  authorityHost?: string | undefined
  /** The audience of the platform's token, as the federated credential says. Default `api://AzureADTokenExchange`. */
  audience?: string | undefined
  /** The environment variables. Default: those of the process. */
  env?: Environment | undefined
}

/**
 * The definition of a client of Microsoft Entra ID with a federated credential: the platform's token is the client assertion. In a
 * pod of AKS with workload identity, only `scope` is needed.
 *
 * - https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow#third-case-access-token-request-with-a-federated-credential
 * - https://learn.microsoft.com/entra/workload-id/workload-identity-federation
 * - https://learn.microsoft.com/azure/aks/workload-identity-overview
 *
 * @example
 * ```ts
 * clients: { graph: entraFederation({ scope: 'https://graph.microsoft.com/.default' }) }
 * ```
 * @throws ConfigurationError
 */
export function entraFederation(options: EntraFederationOptions): ClientDefinition {
  const env = options.env ?? globalThis.process?.env ?? {}
  const {
    tenantId = env.AZURE_TENANT_ID,
    clientId = env.AZURE_CLIENT_ID,
    authorityHost = env.AZURE_AUTHORITY_HOST || 'https://login.microsoftonline.com',
    audience = 'api://AzureADTokenExchange',
    clientAssertion = fileToken({ variable: 'AZURE_FEDERATED_TOKEN_FILE' }, { env }),
    scope,
  } = options
  const problems: ConfigurationProblem[] = []
  const problem = (option: string, message: string) => problems.push({ option: `entraFederation: ${option}`, message })
  if (!tenantId) problem('tenantId', 'is required: environment variable AZURE_TENANT_ID is not set')
  // It becomes part of a URL.
  else if (!/^[\w.-]+$/.test(tenantId) || /^\.+$/.test(tenantId)) problem('tenantId', 'is neither an id nor a domain')
  if (!clientId) problem('clientId', 'is required: environment variable AZURE_CLIENT_ID is not set')
  if (!scope) problem('scope', 'is required, such as https://graph.microsoft.com/.default')
  if (!URL.canParse(authorityHost)) problem('authorityHost', 'does not parse as a URL')
  if (problems.length > 0) throw new ConfigurationError(problems)
  return {
    tokenEndpoint: new URL(`/${tenantId}/oauth2/v2.0/token`, authorityHost).href,
    clientId: clientId ?? '',
    clientAssertion: (context) => clientAssertion({ ...context, audience }),
    scope,
  }
}
