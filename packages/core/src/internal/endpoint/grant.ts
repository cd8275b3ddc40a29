import type { ServerMetadata } from 'openid-client'
import type { ClientConfiguration } from '../../client-configuration'
import type { RequestedToken, TokenRequest, TokenResponse } from '../../token-requester'
import type { Quote } from './failed-response'
import type { ResponseMembers } from './token-response-body'

/** A grant: its type, and the form parameters that it has beside those that every token request has. */
export interface Grant {
  readonly type: string
  /** Whether it may issue tokens of the type `N_A`. Default false. */
  readonly mayIssueNA?: boolean
  parameters(
    client: ClientConfiguration,
    request: TokenRequest,
    server: ServerMetadata,
  ): Promise<Readonly<Record<string, string>>>
  /** Gets each successful response to the request before anything of it is checked. It may still turn out to be invalid. */
  received?(request: TokenRequest, members: ResponseMembers): void
  /**
   * What is made of the server's response. Default: nothing, it stays as it is.
   *
   * @param quote makes a text of the server's fit to be repeated in an error
   * @throws TokenRequestError when it is not what was requested
   */
  check?(response: TokenResponse, request: TokenRequest, quote: Quote): TokenResponse
  /** What the grant is for: a part of the token's key that holds no secret. Undefined: the type says it all. */
  identity?(client: ClientConfiguration, requested: RequestedToken): Promise<string>
}
