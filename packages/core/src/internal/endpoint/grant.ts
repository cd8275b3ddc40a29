import type { ServerMetadata } from 'openid-client'
import type { ClientConfiguration } from '../../client-configuration'
import type { RequestedToken, TokenRequest } from '../../token-requester'

/** A grant: its type, and the form parameters that it has beside those that every token request has. */
export interface Grant {
  readonly type: string
  /** Whether it may issue tokens of the type `N_A`. Default false. */
  readonly mayIssueNA?: boolean
  /** Whether it uses the refresh token of a response. Default false. */
  readonly usesRefreshToken?: boolean
  parameters(
    client: ClientConfiguration,
    request: TokenRequest,
    server: ServerMetadata,
  ): Promise<Readonly<Record<string, string>>>
  /** What the grant is for: a part of the token's key that holds no secret. Undefined: the type says it all. */
  identity?(client: ClientConfiguration, requested: RequestedToken): Promise<string>
}
