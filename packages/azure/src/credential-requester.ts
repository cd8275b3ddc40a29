import type { AccessToken, GetTokenOptions, TokenCredential } from '@azure/core-auth'
import {
  type ClientConfiguration,
  ConfigurationError,
  type TokenRequest,
  type TokenRequester,
  type TokenResponse,
} from '@tokenward/core'
import { accessTokenClaims } from './internal/claims'
import { credentialFailure } from './internal/credential-failure'

/** Claims that demand nothing. A credential with a cache of its own does not use it when there are claims. */
const NO_CLAIMS = '{"access_token":{}}'

/** How many tokens are remembered, to notice when a credential returns one again. */
const MOST_TOKENS = 1_000

/** Options of {@link credentialRequester}. */
export interface CredentialRequesterOptions {
  /**
   * Whether APIs may end a token early (continuous access evaluation). The token lives longer for that, up to 28 hours. An API demands
   * claims then, and the adapters of tokenward put them into the next token request. Default false.
   */
  enableCae?: boolean | undefined
  /** The tenant that tokens are requested from, for a credential that knows several. Default: the credential's own. */
  tenantId?: string | undefined
}

/**
 * A requester that gets tokens from a credential of `@azure/identity`, or from another `TokenCredential`: the cache, the stores and the
 * adapters of tokenward then work with every identity that Azure knows.
 *
 * The definition needs a `scope`. Its `issuer` and `clientId` are not sent: they name the identity, so that processes with another one do not
 * use its tokens from a shared store.
 *
 * @example
 * const tokens = createTokenManager({
 *   clients: {
 *     'graph.client': {
 *       issuer: 'https://login.microsoftonline.com/<tenant>/v2.0',
 *       clientId: '<client id of the identity>',
 *       requester: credentialRequester(new DefaultAzureCredential()),
 *       scope: 'https://graph.microsoft.com/.default',
 *     },
 *   },
 * })
 *
 * @throws ConfigurationError when `credential` has no method `getToken`
 */
export function credentialRequester(
  credential: TokenCredential,
  { enableCae, tenantId }: CredentialRequesterOptions = {},
): TokenRequester {
  if (typeof credential?.getToken !== 'function') {
    throw new ConfigurationError([{ option: 'credential', message: 'must have a method getToken' }])
  }
  /** The last token for each client and request. */
  const issued = new Map<string, string>()

  async function ask(client: ClientConfiguration, scopes: string[], options: GetTokenOptions): Promise<AccessToken> {
    let token: AccessToken | null
    try {
      token = await credential.getToken(scopes, options)
    } catch (error) {
      throw credentialFailure(client.name, error)
    }
    if (!token) throw credentialFailure(client.name, undefined)
    return token
  }

  async function request(client: ClientConfiguration, wanted: TokenRequest): Promise<TokenResponse> {
    const { scope, signal, parameters } = wanted
    if (!scope) {
      const message = 'missing: a credential of Azure is asked for scopes, such as https://graph.microsoft.com/.default'
      throw new ConfigurationError([{ client: client.name, option: 'scope', message }])
    }
    const scopes = scope.split(' ')
    const claims = parameters.claims === undefined ? undefined : accessTokenClaims(parameters.claims)
    const options: GetTokenOptions = {
      abortSignal: signal,
      ...(enableCae && { enableCae }),
      ...(tenantId !== undefined && { tenantId }),
      ...(claims !== undefined && { claims }),
    }
    const key = JSON.stringify([client.name, scope, parameters])
    const token = await renewed(await ask(client, scopes, options))
    issued.delete(key)
    issued.set(key, token.token)
    const [oldest] = issued.keys()
    if (issued.size > MOST_TOKENS && oldest !== undefined) issued.delete(oldest)
    return responseOf(token)

    /** A credential has a cache of its own. It returns the token again that is being replaced, for example because an API rejects it. */
    function renewed(first: AccessToken): Promise<AccessToken> | AccessToken {
      if (first.token !== issued.get(key) || claims !== undefined) return first
      return ask(client, scopes, { ...options, claims: NO_CLAIMS }).catch(() => first)
    }
  }

  return { request, identity: () => 'azure credential' }
}

function responseOf({ token, expiresOnTimestamp, refreshAfterTimestamp, tokenType }: AccessToken): TokenResponse {
  const now = Date.now()
  const expiresIn = Math.max(0, (expiresOnTimestamp - now) / 1_000)
  const refreshIn = refreshAfterTimestamp === undefined ? undefined : (refreshAfterTimestamp - now) / 1_000
  return {
    access_token: token,
    token_type: tokenType ?? 'Bearer',
    expires_in: expiresIn,
    refresh_in: refreshIn !== undefined && refreshIn > 0 ? refreshIn : undefined,
  }
}
