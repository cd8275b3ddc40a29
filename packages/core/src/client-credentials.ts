import {
  allowInsecureRequests,
  type ClientAuth,
  Configuration,
  type CustomFetch,
  clientCredentialsGrant,
  customFetch,
  type DPoPHandle,
  discovery,
  getDPoPHandle,
  None,
  type ServerMetadata,
} from 'openid-client'
import type { ClientConfiguration } from './client-definition'
import { type Clock, systemClock } from './clock'
import { untilAborted } from './internal/abort'
import { clientAuthentication } from './internal/client-authentication'
import { maySendSecretsTo } from './internal/configure-client'
import { tokenRequestFailure } from './internal/token-request-failure'
import type { TokenRequest, TokenRequester, TokenResponse } from './token-requester'

/**
 * The client credentials grant (RFC 6749 §4.4) by openid-client: what a token manager uses when it is told of no
 * other. Metadata of an issuer is discovered when first needed and kept for an hour, or until a request that rests on
 * it fails in a way that other metadata could mend.
 */
export function clientCredentials(clock: Clock = systemClock): TokenRequester {
  const servers = new ServerMetadataCache(clock)
  const handles = new DPoPHandles()
  return Object.freeze({
    async request(client: ClientConfiguration, request: TokenRequest): Promise<TokenResponse> {
      const secrets: string[] = []
      const auth = clientAuthentication(client, request, secrets)
      const failure = (error: unknown) => tokenRequestFailure(client.name, error, secrets)
      try {
        const server = await servers.of(client, request.signal)
        return await grant(client, request, server, auth, handles).catch(async (error) => {
          const failed = await failure(error)
          // The secret may have been rotated since it was supplied: its supplier is asked once more.
          const ask = failed.error === 'invalid_client' && typeof client.clientSecret === 'function'
          if (!ask || request.clientAssertion !== undefined) throw failed
          return grant(client, request, server, auth, handles)
        })
      } catch (error) {
        const failed = await failure(error)
        if (!failed.retryable || failed.error === 'network_error') servers.forget(client)
        throw failed
      }
    },
  })
}

async function grant(
  client: ClientConfiguration,
  request: TokenRequest,
  server: ServerMetadata,
  auth: ClientAuth,
  handles: DPoPHandles,
): Promise<TokenResponse> {
  const configuration = new Configuration(server, client.clientId, undefined, auth)
  // The time limit is the signal's.
  configuration.timeout = 0
  const send = transport(client, request.signal)
  let requests = 0
  configuration[customFetch] = (url, options) => {
    // openid-client answers a nonce challenge by itself.
    if (++requests > 1) request.nonceRetried()
    return send(url, options)
  }
  const endpoint = new URL(server.token_endpoint ?? server.issuer)
  if (endpoint.protocol === 'http:' && maySendSecretsTo(endpoint, client.allowInsecureRequests)) {
    allowInsecureRequests(configuration)
  }
  const DPoP = await handles.of(client, configuration)
  return clientCredentialsGrant(configuration, form(request), DPoP && { DPoP })
}

function form(request: TokenRequest): URLSearchParams {
  const parameters = new URLSearchParams()
  if (request.scope) parameters.set('scope', request.scope)
  for (const resource of request.resource) parameters.append('resource', resource)
  if (request.audience !== undefined) parameters.set('audience', request.audience)
  for (const [name, value] of Object.entries(request.parameters)) parameters.set(name, value)
  return parameters
}

function transport(client: ClientConfiguration, signal: AbortSignal): CustomFetch {
  return (url, options) => client.fetch(url, { ...options, signal } as RequestInit)
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

const METADATA_LIFETIME_MS = 3_600_000

/** The metadata of authorization servers, each discovered once, however many ask at once. */
class ServerMetadataCache {
  readonly #clock: Clock
  readonly #discoveries = new WeakMap<ClientConfiguration, { metadata: Promise<ServerMetadata>; at: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  of(client: ClientConfiguration, signal: AbortSignal): Promise<ServerMetadata> {
    const { tokenEndpoint } = client
    // RFC 7523 §3 lets an assertion be made out for the token endpoint's URL where no issuer is known.
    if (tokenEndpoint) return Promise.resolve({ issuer: tokenEndpoint, token_endpoint: tokenEndpoint })
    const known = this.#discoveries.get(client)
    if (known && this.#clock.monotonic() - known.at < METADATA_LIFETIME_MS) return untilAborted(known.metadata, signal)
    const metadata = discover(client, signal)
    this.#discoveries.set(client, { metadata, at: this.#clock.monotonic() })
    metadata.catch(() => {
      if (this.#discoveries.get(client)?.metadata === metadata) this.forget(client)
    })
    return metadata
  }

  forget(client: ClientConfiguration): void {
    this.#discoveries.delete(client)
  }
}

async function discover(client: ClientConfiguration, signal: AbortSignal): Promise<ServerMetadata> {
  const issuer = new URL(client.issuer ?? '')
  const insecure = issuer.protocol === 'http:' && maySendSecretsTo(issuer, client.allowInsecureRequests)
  let status = 0
  const get = transport(client, signal)
  const options = {
    timeout: 600,
    execute: insecure ? [allowInsecureRequests] : [],
    [customFetch]: async (...args: Parameters<CustomFetch>) => {
      const response = await get(...args)
      status = response.status
      return response
    },
  }
  const of = (algorithm: 'oidc' | 'oauth2') =>
    discovery(issuer, client.clientId, undefined, None(), { ...options, algorithm }).then((c) => c.serverMetadata())
  try {
    return await of('oidc')
  } catch (error) {
    // An authorization server that is no OpenID provider publishes under RFC 8414's name only.
    if (status === 404) return await of('oauth2')
    throw error
  }
}
