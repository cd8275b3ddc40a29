import type { AccessToken } from '../../access-token'
import { ConfigurationError } from '../../errors'
import type { PresentedRequest } from '../../token-presenter'
import type { ManagedClient } from '../clients/managed-client'
import { authorizationHeader } from '../util/authorization-header'

/**
 * The headers that present a token in a request to an API.
 *
 * @param clientOf gets the client of a DPoP token
 */
export async function presentToken(
  clientOf: () => ManagedClient | Promise<ManagedClient>,
  token: AccessToken,
  { method, url, proofClaims }: PresentedRequest,
): Promise<Record<string, string>> {
  const authorization = authorizationHeader(token)
  if (token.type !== 'DPoP') return { authorization }
  const client = clientOf()
  const { configuration, dpop } = client instanceof Promise ? await client : client
  if (!dpop) {
    const message = 'is not set, so that no proof can be made for a DPoP token'
    throw new ConfigurationError([{ client: configuration.name, option: 'dpop', message }])
  }
  const proof = await dpop.prove({ method, url, token, claims: proofClaims })
  return { authorization, dpop: proof }
}
