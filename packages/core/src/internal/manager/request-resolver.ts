import { type MemoryStore, memoryStore } from '@tokenward/store-memory'
import type { GetAccessTokenOptions } from '../../token-parameters'
import type { RequestedToken } from '../../token-requester'
import type { ManagedClient } from '../clients/client-registry'
import {
  clientIdentity,
  endpointIdentity,
  hasOwnRequest,
  mergeRequested,
  tokenIdentity,
  tokenKey,
} from '../clients/resolved-request'

const FOREVER_MS = Number.MAX_SAFE_INTEGER

/** A call's options merged with its client's, and the keys that follow from them. */
export interface ResolvedRequest {
  readonly client: ManagedClient
  readonly requested: RequestedToken
  readonly key: string
  readonly group: string
  readonly endpointKey: string
}

/** Merges calls with their clients' definitions, and computes the keys of their tokens. */
export class RequestResolver {
  /** The keys of known identities: SHA-256 costs more than the rest of a cached call. */
  readonly #keys: MemoryStore<Promise<string>>
  /** The requests of calls that add nothing to their client's definition. */
  readonly #defaultRequests = new WeakMap<ManagedClient, ResolvedRequest>()

  constructor(maxEntries: number) {
    this.#keys = memoryStore({ maxEntries })
  }

  /** The request of a call that adds nothing to its client's definition, if such a call was made before: the usual case. */
  known(client: ManagedClient, call: GetAccessTokenOptions): ResolvedRequest | undefined {
    return hasOwnRequest(call) ? undefined : this.#defaultRequests.get(client)
  }

  /**
   * @param limit puts a time limit on the code of others: DPoP keys and requesters
   * @throws ConfigurationError when the call's options are wrong
   */
  async resolve(
    client: ManagedClient,
    call: GetAccessTokenOptions,
    limit: <T>(run: () => Promise<T>) => Promise<T>,
  ): Promise<ResolvedRequest> {
    const { configuration, dpop, requester } = client
    const requested = mergeRequested(configuration, call)
    const identity = await limit(async () => {
      const [thumbprint, grant] = await Promise.all([
        dpop?.thumbprint(),
        requester.identity?.(configuration, requested),
      ])
      return tokenIdentity(configuration, requested, { thumbprint, grant })
    })
    const identities = [identity, clientIdentity(configuration), endpointIdentity(configuration)]
    const [key = '', group = '', endpointKey = ''] = await Promise.all(identities.map((each) => this.#keyOf(each)))
    const resolved = { client, requested, key, group, endpointKey }
    if (!hasOwnRequest(call)) this.#defaultRequests.set(client, resolved)
    return resolved
  }

  #keyOf(identity: string): Promise<string> {
    let key = this.#keys.get(identity)
    if (key === undefined) {
      key = tokenKey(identity)
      this.#keys.set(identity, key, FOREVER_MS)
    }
    return key
  }
}
