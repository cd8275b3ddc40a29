import type { AccessToken as AzureToken, GetTokenOptions, TokenCredential } from '@azure/core-auth'
import {
  type AccessToken,
  ConfigurationError,
  snapshotParameters,
  type TokenManager,
  type TokenParameters,
} from '@tokenward/core'
import { asAbortSignal } from './internal/abort-signal'
import { ChallengedTokens } from './internal/challenged-tokens'
import { accessTokenClaims } from './internal/claims'

/** The lifetime of a token that names none, in milliseconds. It is the default of the token manager, too. */
const DEFAULT_LIFETIME_MS = 300_000

/** Options of {@link createTokenCredential}. */
export interface TokenCredentialOptions<Name extends string = string> {
  /**
   * What the token is requested with, in addition to the scopes of the SDK. A function gets these scopes. Its `scope` replaces them: for an
   * authorization server that does not know the scopes of Azure.
   */
  tokenParameters?: TokenParameters | ((scopes: readonly string[]) => TokenParameters) | undefined
  /**
   * The client of the tenant that a service names in a challenge. Default: the same client for every tenant.
   *
   * @throws whatever it throws is what `getToken` rejects with
   */
  clientOfTenant?: ((tenantId: string) => Name) | undefined
}

/**
 * A credential for clients of the Azure SDK that gets the tokens of a token manager. All clients of a process share them, and with a store all
 * processes.
 *
 * When a service demands claims (continuous access evaluation), a new token is requested with them, for all callers. The SDK asks for the
 * token before each request, so that a renewed or replaced token is used from the next request on.
 *
 * `getToken` rejects with `TokenRequestError` when no token can be had, and with `ConfigurationError` for a client whose tokens are not of
 * the type `Bearer`: the SDK would send them as such.
 *
 * @example
 * const secrets = new SecretClient('https://company.vault.azure.net', createTokenCredential(tokens, 'azure.client'))
 *
 * @throws ConfigurationError when `tokens` is no token manager
 */
export function createTokenCredential<Name extends string>(
  tokens: TokenManager<Name>,
  client: NoInfer<Name>,
  options: TokenCredentialOptions<NoInfer<Name>> = {},
): TokenCredential {
  if (typeof tokens?.getAccessToken !== 'function' || typeof tokens.rejectAccessToken !== 'function') {
    throw new ConfigurationError([{ client, option: 'tokens', message: 'must be a token manager' }])
  }
  const { tokenParameters, clientOfTenant } = options
  const challenged = new ChallengedTokens()

  async function getToken(
    given: string | string[],
    { claims, tenantId, abortSignal }: GetTokenOptions = {},
  ): Promise<AzureToken> {
    const scopes = [given].flat()
    const name = tenantId !== undefined && clientOfTenant ? clientOfTenant(tenantId) : client
    const more = typeof tokenParameters === 'function' ? tokenParameters(scopes) : tokenParameters
    const parameters: TokenParameters = snapshotParameters({ scope: scopes.join(' ') || undefined, ...more })
    const signal = asAbortSignal(abortSignal)
    const key = JSON.stringify([name, parameters])

    const rejected = claims ? challenged.rejectedBy(key, claims) : undefined
    const current = rejected ?? (claims ? await tokens.getAccessToken(name, { ...parameters, signal }) : undefined)
    if (claims && current) {
      challenged.remember(key, claims, current)
      const rejection = { reason: 'insufficient_claims', claims: accessTokenClaims(claims) } as const
      await tokens.rejectAccessToken(name, current, parameters, undefined, rejection)
    }
    const token = await tokens.getAccessToken(name, { ...parameters, signal, insteadOf: current })
    challenged.issued(key, token)
    return forAzure(token)
  }

  return { getToken }
}

function forAzure({ client, type, value, expiresAt }: AccessToken): AzureToken {
  if (type !== 'Bearer') {
    const option = type === 'DPoP' ? 'dpop' : 'requester'
    const message = `gets tokens of the type ${type}, but clients of the Azure SDK send Bearer tokens`
    throw new ConfigurationError([{ client, option, message }])
  }
  const now = Date.now()
  return {
    token: value,
    expiresOnTimestamp: expiresAt?.getTime() ?? now + DEFAULT_LIFETIME_MS,
    // The SDK asks again before its next request: the token manager decides when a token is renewed.
    refreshAfterTimestamp: now,
    tokenType: 'Bearer',
  }
}
