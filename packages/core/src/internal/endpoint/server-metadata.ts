import {
  allowInsecureRequests,
  type CustomFetch,
  customFetch,
  discovery,
  None,
  type ServerMetadata,
} from 'openid-client'
import type { ClientConfiguration } from '../../client-configuration'
import type { Clock } from '../../clock'
import { untilAborted } from '../util/abort'
import { maySendSecretsTo } from '../util/plain-http'

const METADATA_LIFETIME_MS = 3_600_000

/** The metadata of authorization servers, each discovered once, however many ask at once. */
export class ServerMetadataCache {
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

/** The client's own transport, ended by the signal. */
export function transport(client: ClientConfiguration, signal: AbortSignal): CustomFetch {
  return (url, options) => client.fetch(url, { ...options, signal } as RequestInit)
}
