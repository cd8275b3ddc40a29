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
import type { TokenRequestError } from '../../errors'
import { isTlsClientAuth } from '../../tls-client-auth'
import type { RequestedToken, TokenRequest, TokenRequester, TokenResponse } from '../../token-requester'
import { clientAuthentication } from './client-authentication'
import { ClientSecrets, type SecretTrial } from './client-secrets'
import { copyError } from './copy-error'
import { Exchange } from './exchange'
import type { Grant } from './grant'
import { ServerMetadataCache } from './server-metadata'
import { tokenRequestFailure } from './token-request-failure'

/** A requester that requests tokens by `grant`, with openid-client. */
export function grantRequester(clock: Clock, grant: Grant): TokenRequester {
  const servers = new ServerMetadataCache(clock)
  const handles = new DPoPHandles()
  const clientSecrets = new ClientSecrets(clock)

  /** One token request; openid-client sends it once more after a nonce challenge. */
  async function send(
    client: ClientConfiguration,
    request: TokenRequest,
    auth: ClientAuth,
    exchange: Exchange,
  ): Promise<TokenResponse> {
    try {
      const server = await servers.of(client, request.signal)
      const configuration = configure(client, server, auth)
      const transport = exchange.transport('token_request', (members) => grant.received?.(request, members))
      let requests = 0
      configuration[customFetch] = (url, options) => {
        if (++requests > 1) request.nonceRetried()
        return transport(url, options)
      }
      const parameters = form(request)
      const own = await grant.parameters(client, request, server)
      for (const [name, value] of Object.entries(own)) parameters.set(name, value)
      const DPoP = await handles.of(client, configuration)
      const response = await genericGrantRequest(configuration, grant.type, parameters, DPoP && { DPoP })
      return grant.check?.(response, request, (text) => exchange.quote(text)) ?? response
    } catch (error) {
      throw await exchange.failure(error)
    }
  }

  /** Whether new metadata names another token endpoint than `known`, which was cached. */
  async function hasMoved(client: ClientConfiguration, known: ServerMetadata | undefined, signal: AbortSignal) {
    if (!known) return false
    const found = await servers.of(client, signal).catch(() => known)
    return found.token_endpoint !== known.token_endpoint
  }

  const { identity, mayIssueNA = false } = grant
  return Object.freeze({
    mayIssueNA,

    async request(client: ClientConfiguration, request: TokenRequest): Promise<TokenResponse> {
      const exchange = new Exchange(client, request)
      const secrets = clientSecrets.trial(client, request, (all) => exchange.addSecrets(all))
      const auth = clientAuthentication(client, request, secrets)
      const known = servers.cached(client)
      const sendIt = () =>
        withEachSecret(secrets, request.signal, exchange, () => send(client, request, auth, exchange))
      try {
        return await sendIt()
      } catch (thrown) {
        const error = thrown as TokenRequestError
        const mayHaveMoved = needsOtherMetadata(error)
        if (mayHaveMoved) servers.forget(client)
        const willRepeat = mayHaveMoved && !error.retryable && (await hasMoved(client, known, request.signal))
        if (!willRepeat || request.signal.aborted) throw error
        return await sendIt()
      }
    },

    async revoke(client: ClientConfiguration, token: string, request: TokenRequest): Promise<boolean> {
      const exchange = new Exchange(client, request)
      try {
        const secrets = clientSecrets.trial(client, request, (all) => exchange.addSecrets(all))
        const auth = clientAuthentication(client, request, secrets)
        const server = await servers.of(client, request.signal)
        if (server.revocation_endpoint === undefined) return false
        const configuration = configure(client, server, auth)
        configuration[customFetch] = exchange.transport('revocation')
        const revocation = () => tokenRevocation(configuration, token, { token_type_hint: 'access_token' })
        await withEachSecret(secrets, request.signal, exchange, revocation)
        return true
      } catch (error) {
        throw await exchange.failure(error)
      }
    },

    ...(identity && {
      async identity(client: ClientConfiguration, requested: RequestedToken): Promise<string> {
        try {
          return await identity(client, requested)
        } catch (error) {
          throw await tokenRequestFailure(client.name, error)
        }
      },
    }),
  })
}

/** Calls `send` again with the next secret as long as the server refuses the client and there is another secret. */
async function withEachSecret<T>(
  secrets: SecretTrial,
  signal: AbortSignal,
  exchange: Exchange,
  send: () => Promise<T>,
): Promise<T> {
  for (;;) {
    try {
      const result = await send()
      secrets.accept()
      return result
    } catch (thrown) {
      const error = await exchange.failure(thrown)
      if (error.error !== 'invalid_client' || signal.aborted) throw error
      const isLeft = await secrets.next().catch(async (failure) => {
        throw await exchange.failure(failure)
      })
      if (!isLeft) throw refusedSecrets(error, secrets.refused)
    }
  }
}

function refusedSecrets(error: TokenRequestError, count: number): TokenRequestError {
  if (count < 2) return error
  const { errorDescription } = error
  const refused = `the server refused each of the ${count} client secrets`
  return copyError(error, { errorDescription: [errorDescription, refused].filter(Boolean).join('; ') })
}

/** Whether new metadata could make the request succeed: what is at the endpoint's URL is no token endpoint. */
function needsOtherMetadata({ error, status, step, retryable }: TokenRequestError): boolean {
  if (step !== 'token_request') return false
  return error === 'network_error' || (error === 'invalid_response' && !retryable && status !== 200)
}

function configure(client: ClientConfiguration, server: ServerMetadata, auth: ClientAuth): Configuration {
  // RFC 8705 §5: a client that shows a certificate uses the endpoints that ask for one.
  const metadata = { use_mtls_endpoint_aliases: client.mtls || isTlsClientAuth(client.clientAuth) }
  const configuration = new Configuration(server, client.clientId, metadata, auth)
  // The signal is the time limit.
  configuration.timeout = 0
  // The exchange decides which URL may be requested by plain http.
  allowInsecureRequests(configuration)
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
