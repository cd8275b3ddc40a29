import type { CacheGetOptions } from '../../token-cache'
import type { GetAccessTokenOptions } from '../../token-parameters'
import { LEASE_MARGIN_MS } from '../cache/renewer'
import type { ManagedClient, ResolvedRequest } from '../clients/managed-client'
import { clientIdentity, endpointIdentity, mergeRequested, tokenIdentity, tokenKey } from '../clients/resolved-request'

/** The keys that the requests of one client have in common. */
type ClientKeys = Promise<readonly [group: string, endpointKey: string]>

/** Merges calls with their clients' definitions, and computes the keys of their tokens. */
export class RequestResolver {
  readonly #clientKeys = new WeakMap<ManagedClient, ClientKeys>()
  /** The keys that are being computed, by identity: many callers may come at once, before the first has its request. */
  readonly #pendingKeys = new Map<string, Promise<string>>()

  /**
   * @param call the caller cannot change it any more
   * @param limit puts a time limit on the code of others: DPoP keys and requesters
   * @throws ConfigurationError when the call's options are wrong
   */
  async resolve(
    client: ManagedClient,
    call: GetAccessTokenOptions,
    limit: <T>(run: () => Promise<T>) => Promise<T>,
  ): Promise<ResolvedRequest> {
    const known = client.requests.find(call)
    if (known) return known
    const { configuration, dpop, requester } = client
    const requested = mergeRequested(configuration, call)
    const traits = async () => {
      const [thumbprint, grant] = await Promise.all([
        dpop?.thumbprint(),
        requester.identity?.(configuration, requested),
      ])
      return { thumbprint, grant }
    }
    // Without code of others, there is nothing to wait for.
    const found = dpop || requester.identity ? await limit(traits) : { thumbprint: undefined, grant: undefined }
    const identity = tokenIdentity(configuration, requested, found)
    const [key, [group, endpointKey]] = await Promise.all([this.#keyOf(identity), this.#keysOf(client)])
    const request = { client, requested, key, group, endpointKey, window: undefined }
    client.requests.add(call, request)
    return request
  }

  #keyOf(identity: string): Promise<string> {
    let key = this.#pendingKeys.get(identity)
    if (key === undefined) {
      key = tokenKey(identity).finally(() => this.#pendingKeys.delete(identity))
      this.#pendingKeys.set(identity, key)
    }
    return key
  }

  #keysOf(client: ManagedClient): ClientKeys {
    let keys = this.#clientKeys.get(client)
    if (keys === undefined) {
      const { configuration } = client
      keys = Promise.all([tokenKey(clientIdentity(configuration)), tokenKey(endpointIdentity(configuration))])
      this.#clientKeys.set(client, keys)
    }
    return keys
  }
}

/** What a cache needs to know of a call. */
export function cacheOptions(
  { client, key, group, endpointKey, requested }: ResolvedRequest,
  { forceRenewal, minValidityMs, insteadOf, signal, clientAssertion }: GetAccessTokenOptions = {},
  keepsFresh = false,
): CacheGetOptions {
  const { configuration, source, dpop, requester } = client
  return {
    client: configuration.name,
    isBound: dpop !== undefined,
    mayBeNA: requester.mayIssueNA === true,
    group,
    endpointKey,
    loader: source.loader(key, requested, clientAssertion ?? configuration.clientAssertion),
    expirationBufferMs: configuration.expirationBufferMs,
    leaseMs: configuration.timeoutMs + LEASE_MARGIN_MS,
    minValidityMs,
    forceRenewal,
    keepsFresh,
    insteadOf,
    signal,
  }
}
