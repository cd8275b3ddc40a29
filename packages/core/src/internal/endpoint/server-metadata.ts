import { allowInsecureRequests, customFetch, discovery, None, type ServerMetadata } from 'openid-client'
import type { ClientConfiguration } from '../../client-configuration'
import type { Clock } from '../../clock'
import { TokenRequestError } from '../../errors'
import { untilAborted } from '../util/abort'
import { copyError } from './copy-error'
import { Exchange } from './exchange'
import { noteProgress, shownUrl } from './request-progress'

const METADATA_LIFETIME_MS = 3_600_000

/** The metadata of one client's authorization server, discovered or on the way. */
interface Discovery {
  readonly metadata: Promise<ServerMetadata>
  readonly at: number
  readonly controller: AbortController
  /** How many requests wait for it now. */
  waiting: number
  /** Undefined while it is on the way. */
  result: ServerMetadata | undefined
}

/** The metadata of authorization servers. Each is discovered once, however many requests need it at once. */
export class ServerMetadataCache {
  readonly #clock: Clock
  readonly #discoveries = new WeakMap<ClientConfiguration, Discovery>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * @throws TokenRequestError with step `discovery`, or the signal's reason. A discovery that nobody waits for any more ends.
   */
  async of(client: ClientConfiguration, signal: AbortSignal): Promise<ServerMetadata> {
    const { tokenEndpoint, issuer = '' } = client
    // RFC 7523 §3 permits the token endpoint's URL as the audience of an assertion.
    if (tokenEndpoint) return { issuer: tokenEndpoint, token_endpoint: tokenEndpoint }
    const discovery = this.#known(client) ?? this.#start(client)
    if (!discovery.result) noteProgress(signal, { step: 'discovery', url: shownUrl(issuer) })
    discovery.waiting++
    try {
      return await untilAborted(discovery.metadata, signal)
    } finally {
      discovery.waiting--
      if (discovery.waiting === 0 && !discovery.result) {
        this.#forget(client, discovery)
        discovery.controller.abort(signal.reason)
      }
    }
  }

  /** The metadata that was discovered before. Undefined when there is none, or the definition has a token endpoint. */
  cached(client: ClientConfiguration): ServerMetadata | undefined {
    return this.#known(client)?.result
  }

  forget(client: ClientConfiguration): void {
    this.#discoveries.delete(client)
  }

  #known(client: ClientConfiguration): Discovery | undefined {
    const known = this.#discoveries.get(client)
    return known && this.#clock.monotonic() - known.at < METADATA_LIFETIME_MS ? known : undefined
  }

  #start(client: ClientConfiguration): Discovery {
    const controller = new AbortController()
    const metadata = discover(client, controller.signal)
    const discovery: Discovery = { metadata, at: this.#clock.monotonic(), controller, waiting: 0, result: undefined }
    this.#discoveries.set(client, discovery)
    metadata.then(
      (result) => {
        discovery.result = result
      },
      () => this.#forget(client, discovery),
    )
    return discovery
  }

  #forget(client: ClientConfiguration, discovery: Discovery): void {
    if (this.#discoveries.get(client) === discovery) this.forget(client)
  }
}

async function discover(client: ClientConfiguration, signal: AbortSignal): Promise<ServerMetadata> {
  const issuer = new URL(client.issuer ?? '')
  const exchange = new Exchange(client, { signal })
  // The rule for plain http is the exchange's; its signal is the only time limit.
  const options = { timeout: 600, execute: [allowInsecureRequests], [customFetch]: exchange.transport('discovery') }
  const of = async (algorithm: 'oidc' | 'oauth2') => {
    try {
      const found = await discovery(issuer, client.clientId, undefined, None(), { ...options, algorithm })
      return found.serverMetadata()
    } catch (error) {
      throw await exchange.failure(error)
    }
  }
  const found = await of('oidc').catch((error: TokenRequestError) => {
    // An authorization server that is no OpenID provider publishes under the name of RFC 8414 only.
    if (error.status !== 404) throw error
    return of('oauth2').catch((second: TokenRequestError) => {
      throw second.status === 404 ? nothingFound(second, error) : second
    })
  })
  if (typeof found.token_endpoint === 'string' && URL.canParse(found.token_endpoint)) return found
  throw new TokenRequestError({
    client: client.name,
    error: 'invalid_response',
    errorDescription: 'the metadata of the issuer has no valid token_endpoint',
    retryable: false,
    step: 'discovery',
    url: shownUrl(issuer.href),
  })
}

function nothingFound(error: TokenRequestError, first: TokenRequestError): TokenRequestError {
  const errorDescription = `status 404 here and at ${error.url}: the issuer may be wrong`
  return copyError(error, { errorDescription, url: first.url })
}
