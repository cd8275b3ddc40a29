import { type ClientDefinition, ConfigurationError, type ConfigurationProblem, tokenExchange } from '@tokenward/core'
import type { IdentityTokenSupplier } from './identity-token'

/** Options of {@link googleFederation}. */
export interface GoogleFederationOptions {
  /**
   * The provider of the workload identity pool:
   * `projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER`.
   */
  provider: string
  /** The token of the platform. */
  subjectToken: IdentityTokenSupplier
  /** What it is. Default `urn:ietf:params:oauth:token-type:jwt`. */
  subjectTokenType?: string | undefined
  /** Default `https://www.googleapis.com/auth/cloud-platform`. */
  scope?: string | undefined
  /** The audience of the platform's token. Default: `https://iam.googleapis.com/` and the provider, which every provider accepts. */
  audience?: string | undefined
}

const PROVIDER = /^projects\/[^/\s]+\/locations\/global\/workloadIdentityPools\/[^/\s]+\/providers\/[^/\s]+$/
const TOKEN_TYPE = 'urn:ietf:params:oauth:token-type'

/**
 * The definition of a client of Google Cloud by workload identity federation: the Security Token Service exchanges the platform's
 * token for an access token (RFC 8693). Grant roles to the federated principal itself. Impersonation of a service account is a
 * further request, which is no OAuth, and is not made.
 *
 * - https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token
 * - https://cloud.google.com/iam/docs/workload-identity-federation
 *
 * @example
 * ```ts
 * clients: { storage: googleFederation({ provider: 'projects/…', subjectToken: githubActionsToken() }) }
 * ```
 * @throws ConfigurationError
 */
export function googleFederation(options: GoogleFederationOptions): ClientDefinition {
  const { provider, subjectToken, subjectTokenType = `${TOKEN_TYPE}:jwt` } = options
  const { scope = 'https://www.googleapis.com/auth/cloud-platform' } = options
  const problems: ConfigurationProblem[] = []
  if (typeof provider !== 'string' || !PROVIDER.test(provider)) {
    const message = 'must be projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER'
    problems.push({ option: 'googleFederation: provider', message })
  }
  if (typeof subjectToken !== 'function') {
    problems.push({ option: 'googleFederation: subjectToken', message: 'must be a function' })
  }
  if (problems.length > 0) throw new ConfigurationError(problems)
  const { audience = `https://iam.googleapis.com/${provider}` } = options
  return {
    tokenEndpoint: 'https://sts.googleapis.com/v1/token',
    // Google knows no client. This one is part of the token's key, and is not sent.
    clientId: provider,
    clientAuth: () => {},
    audience: `//iam.googleapis.com/${provider}`,
    scope,
    requester: tokenExchange({
      subjectToken: (context) => subjectToken({ ...context, audience }),
      subjectTokenType,
      requestedTokenType: `${TOKEN_TYPE}:access_token`,
    }),
  }
}
