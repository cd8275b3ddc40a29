import type { ClientConfiguration } from '../../client-configuration'
import type { TokenWindow } from '../../token-cache'
import type { RequestedToken, TokenRequester } from '../../token-requester'
import type { TokenSource } from '../endpoint/token-source'
import type { DPoPProver } from './dpop-prover'
import type { KnownRequests } from './known-requests'

/** A client as the manager works with it. */
export interface ManagedClient {
  readonly configuration: ClientConfiguration
  readonly requester: TokenRequester
  readonly source: TokenSource
  /** Makes the proofs of a DPoP client. */
  readonly dpop: DPoPProver | undefined
  /** What its calls have requested before. */
  readonly requests: KnownRequests<ResolvedRequest>
}

/** A call's options merged with its client's, and the keys that follow from them. */
export interface ResolvedRequest {
  readonly client: ManagedClient
  readonly requested: RequestedToken
  readonly key: string
  readonly group: string
  readonly endpointKey: string
  /** In which the token of this request is used without a call of the cache. */
  window: TokenWindow | undefined
}
