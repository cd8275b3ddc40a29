import { type ClientAuth, ClientSecretBasic } from 'openid-client'
import type { ClientConfiguration } from '../../client-configuration'
import { ConfigurationError } from '../../errors'
import type { TokenRequest } from '../../token-requester'
import { untilAborted } from '../util/abort'
import { CredentialUnavailable } from './token-request-failure'

const JWT_BEARER_ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/**
 * How `client` authenticates its `request`. What must never be repeated about it goes into `secrets`, in every form
 * in which a server could echo it.
 *
 * openid-client waits for what a method returns, though its type says void; and it calls the method for every request
 * that goes out, one after a nonce challenge included, so that a supplier is asked anew for each.
 *
 * @throws ConfigurationError when the client has nothing to authenticate with.
 */
export function clientAuthentication(
  client: ClientConfiguration,
  request: TokenRequest,
  secrets: string[],
): ClientAuth {
  const { clientAssertion, signal } = request
  if (clientAssertion !== undefined) {
    return async ({ issuer }, { client_id }, body) => {
      const context = { client: client.name, audience: issuer }
      const assertion = await supplied('clientAssertion', clientAssertion, signal, context)
      secrets.push(assertion)
      body.set('client_id', client_id)
      body.set('client_assertion_type', JWT_BEARER_ASSERTION)
      body.set('client_assertion', assertion)
    }
  }
  const { clientAuth, clientSecret } = client
  if (clientAuth !== undefined) return clientAuth
  if (clientSecret !== undefined) {
    return async (server, metadata, body, headers) => {
      const secret = await supplied('clientSecret', clientSecret, signal)
      ClientSecretBasic(secret)(server, metadata, body, headers)
      const [, credentials = ''] = headers.get('authorization')?.split(' ') ?? []
      secrets.push(secret, encodeURIComponent(secret), credentials)
    }
  }
  const message = 'missing, and neither clientAuth nor clientAssertion is there (a public client says None())'
  throw new ConfigurationError([{ client: client.name, option: 'clientSecret', message }])
}

/** A credential as it is, or what its supplier gives. */
export async function supplied<Context extends unknown[]>(
  option: string,
  credential: string | ((...context: Context) => string | Promise<string>),
  signal: AbortSignal,
  ...context: Context
): Promise<string> {
  if (typeof credential === 'string') return credential
  let value: unknown
  try {
    value = await untilAborted((async () => credential(...context))(), signal)
  } catch (error) {
    if (signal.aborted) throw signal.reason
    // Only the kind of the error: its message is not ours to vouch for.
    const { name, code } = (error ?? {}) as { name?: unknown; code?: unknown }
    throw new CredentialUnavailable(`the ${option} supplier failed: ${[name, code].filter(Boolean).join(' ')}`)
  }
  if (typeof value === 'string' && value !== '') return value
  throw new CredentialUnavailable(`the ${option} supplier gave no string, or an empty one`)
}
