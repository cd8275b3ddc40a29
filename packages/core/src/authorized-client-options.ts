import type { StepUpOptions } from './step-up-options'
import type { TokenParameters } from './token-parameters'

/** A request on its way to an API, as far as its token depends on it. */
export interface OutgoingRequest {
  readonly method: string
  readonly url: URL
  readonly headers: Headers
}

/** The parameters of a request's token: fixed, or computed from the request. */
export type RequestTokenParameters =
  | TokenParameters
  | ((request: OutgoingRequest) => TokenParameters | Promise<TokenParameters>)

/** Options of one call of an HTTP client. They override the client's own. */
export interface AuthorizedCallOptions {
  /** What the token is requested with. It replaces what the client's definition says. */
  tokenParameters?: RequestTokenParameters | undefined
  /** Whether a request that gets a 401 is sent once more with a new token. Default true. */
  retryOn401?: boolean | undefined
  /** Claims of the DPoP proofs in addition to those of RFC 9449. Only used by DPoP clients. */
  proofClaims?: Readonly<Record<string, unknown>> | undefined
}

/** The options that every adapter has in addition to those of its library. One of `baseURL` and `allowedOrigins` is required. */
export interface AuthorizedClientOptions extends AuthorizedCallOptions {
  /**
   * Whether claims that an API demands in a 401 (`error="insufficient_claims"`, as the APIs of Microsoft Entra do) go into the next token
   * request. Only what concerns the access token is passed on, at most 4,096 characters. Default true.
   */
  claimsChallenges?: boolean | undefined
  /**
   * What an API may demand of a token in addition. When it does so (403 `insufficient_scope`, or 401
   * `insufficient_user_authentication`), a token is requested that meets it, and the request is sent once more. Later requests of the
   * same method to the same origin use such a token at once. Default: nothing, and the caller gets the response.
   */
  stepUp?: StepUpOptions | undefined
  /** Relative URLs are joined to it. Tokens may go to its origin. */
  baseURL?: string | URL | undefined
  /** The origins that tokens may go to, in addition to the origin of `baseURL`. */
  allowedOrigins?: readonly (string | URL)[] | undefined
}
