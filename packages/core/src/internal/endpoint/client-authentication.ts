import type { ClientAuth } from 'openid-client'
import type { ClientConfiguration } from '../../client-configuration'
import { ConfigurationError } from '../../errors'
import { isTlsClientAuth } from '../../tls-client-auth'
import type { TokenRequest } from '../../token-requester'
import type { SecretTrial } from './client-secrets'
import { callSupplier, suppliedCredential } from './supplied-credential'

const JWT_BEARER_ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/**
 * How `client` authenticates its `request`.
 *
 * openid-client waits for what a method returns, though its type says void. It calls the method for every request that goes
 * out, also for the one after a nonce challenge, so that a supplier is called for each.
 *
 * @throws ConfigurationError when the client has nothing to authenticate with.
 */
export function clientAuthentication(
  client: ClientConfiguration,
  request: TokenRequest,
  secrets: SecretTrial,
): ClientAuth {
  const { clientAssertion, signal } = request
  if (clientAssertion !== undefined) {
    return async ({ issuer }, { client_id }, body) => {
      const context = { client: client.name, audience: issuer, signal }
      const assertion = await suppliedCredential('clientAssertion', clientAssertion, signal, context)
      body.set('client_id', client_id)
      body.set('client_assertion_type', JWT_BEARER_ASSERTION)
      body.set('client_assertion', assertion)
    }
  }
  const { clientAuth, clientSecret } = client
  if (clientAuth !== undefined) {
    return isTlsClientAuth(clientAuth)
      ? clientAuth
      : async (...request) => callSupplier('clientAuth', () => clientAuth(...request), signal)
  }
  if (clientSecret !== undefined) return secrets.authentication
  const message = 'missing, and neither clientAuth nor clientAssertion is there (a public client says None())'
  throw new ConfigurationError([{ client: client.name, option: 'clientSecret', message }])
}
