import {
  allowInsecureRequests,
  type ClientAuth,
  Configuration,
  customFetch,
  type DPoPHandle,
  genericGrantRequest,
  getDPoPHandle,
  type ServerMetadata,
  tokenRevocation,
} from 'openid-client'
import type { ClientConfiguration } from '../../client-configuration'
import type { Clock } from '../../clock'
import { isTlsClientAuth } from '../../tls-client-auth'
import type { TokenRequest, TokenRequester, TokenResponse } from '../../token-requester'
import { maySendSecretsTo } from '../util/plain-http'
import { clientAuthentication } from './client-authentication'
import { ServerMetadataCache, transport } from './server-metadata'
import { tokenRequestFailure } from './token-request-failure'

/** A grant: its type, and the form parameters that it has beside those that every token request has. */
export interface Grant {
  readonly type: string
  /** What it says is secret is never repeated in an error. */
  parameters(
    client: ClientConfiguration,
    request: TokenRequest,
    server: ServerMetadata,
    secrets: string[],
  ): Promise<Readonly<Record<string, string>>>
}

/** A requester that asks for tokens by `grant`, with openid-client. */
export function grantRequester(clock: Clock, grant: Grant): TokenRequester {
  const servers = new ServerMetadataCache(clock)
  const handles = new DPoPHandles()

  async function ask(
    client: ClientConfiguration,
    request: TokenRequest,
    auth: ClientAuth,
    secrets: string[],
  ): Promise<TokenResponse> {
    const server = await servers.of(client, request.signal)
    const configuration = configure(client, server, auth, request.signal)
    const send = transport(client, request.signal)
    let requests = 0
    configuration[customFetch] = (url, options) => {
      // openid-client answers a nonce challenge by itself.
      if (++requests > 1) request.nonceRetried()
      return send(url, options)
    }
    const parameters = form(request)
    const own = await grant.parameters(client, request, server, secrets)
    for (const [name, value] of Object.entries(own)) parameters.set(name, value)
    const DPoP = await handles.of(client, configuration)
    return genericGrantRequest(configuration, grant.type, parameters, DPoP && { DPoP })
  }

  return Object.freeze({
    async request(client: ClientConfiguration, request: TokenRequest): Promise<TokenResponse> {
      const secrets: string[] = []
      const auth = clientAuthentication(client, request, secrets)
      const failure = (error: unknown) => tokenRequestFailure(client.name, error, secrets)
      try {
        return await ask(client, request, auth, secrets).catch(async (error) => {
          const failed = await failure(error)
          // The secret may have been rotated since it was supplied: its supplier is asked once more.
          const rotated = failed.error === 'invalid_client' && typeof client.clientSecret === 'function'
          if (!rotated || request.clientAssertion !== undefined) throw failed
          return ask(client, request, auth, secrets)
        })
      } catch (error) {
        const failed = await failure(error)
        // Other metadata could mend it: the endpoint may have moved.
        if (!failed.retryable || failed.error === 'network_error') servers.forget(client)
        throw failed
      }
    },

    async revoke(client: ClientConfiguration, token: string, request: TokenRequest): Promise<boolean> {
      const secrets: string[] = [token]
      try {
        const auth = clientAuthentication(client, request, secrets)
        const server = await servers.of(client, request.signal)
        if (server.revocation_endpoint === undefined) return false
        await tokenRevocation(configure(client, server, auth, request.signal), token, {
          token_type_hint: 'access_token',
        })
        return true
      } catch (error) {
        throw await tokenRequestFailure(client.name, error, secrets)
      }
    },
  })
}

function configure(
  client: ClientConfiguration,
  server: ServerMetadata,
  auth: ClientAuth,
  signal: AbortSignal,
): Configuration {
  // RFC 8705 §5: a client that shows a certificate goes to the endpoints that ask for one.
  const metadata = { use_mtls_endpoint_aliases: client.mtls || isTlsClientAuth(client.clientAuth) }
  const configuration = new Configuration(server, client.clientId, metadata, auth)
  // The time limit is the signal's.
  configuration.timeout = 0
  configuration[customFetch] = transport(client, signal)
  const endpoint = new URL(server.token_endpoint ?? server.issuer)
  if (endpoint.protocol === 'http:' && maySendSecretsTo(endpoint, client.allowInsecureRequests)) {
    allowInsecureRequests(configuration)
  }
  return configuration
}

function form(request: TokenRequest): URLSearchParams {
  const parameters = new URLSearchParams()
  if (request.scope) parameters.set('scope', request.scope)
  for (const resource of request.resource) parameters.append('resource', resource)
  if (request.audience !== undefined) parameters.set('audience', request.audience)
  for (const [name, value] of Object.entries(request.parameters)) parameters.set(name, value)
  return parameters
}

/** openid-client's DPoP handles, one per client: they remember the nonces of the authorization server. */
class DPoPHandles {
  readonly #handles = new WeakMap<ClientConfiguration, DPoPHandle>()

  async of(client: ClientConfiguration, configuration: Configuration): Promise<DPoPHandle | undefined> {
    if (!client.dpopKeyPair) return undefined
    const keyPair = await client.dpopKeyPair()
    const handle = this.#handles.get(client) ?? getDPoPHandle(configuration, keyPair)
    this.#handles.set(client, handle)
    return handle
  }
}
