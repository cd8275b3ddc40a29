// For those who use tokens.

export {
  type ClientAuth,
  ClientSecretBasic,
  ClientSecretJwt,
  ClientSecretPost,
  None,
  PrivateKeyJwt,
} from 'openid-client'
export type { AccessToken } from './access-token'
export type {
  ClientConfiguration,
  ClientDefinition,
  ClientDefinitionSource,
  DPoPOptions,
  KeyPair,
} from './client-definition'
export type { Clock } from './clock'
export {
  ConfigurationError,
  type ConfigurationProblem,
  OriginNotAllowedError,
  TokenRequestError,
  type TokenRequestErrorReason,
  TokenwardError,
  UnknownClientError,
} from './errors'
export type {
  Logger,
  NonceRetry,
  RenewalStarted,
  StoreFailed,
  TokenEvents,
  TokenRejected,
  TokenRetrievalFailed,
  TokenRetrieved,
  Unsubscribe,
} from './events'
// For those who write adapters, stores, caches and requesters.
export {
  clientCredentials,
  type GrantContext,
  type GrantCredential,
  type JwtBearerOptions,
  jwtBearer,
  type TokenExchangeOptions,
  tokenExchange,
} from './grants'
export { TlsClientAuth } from './internal/client-authentication'
export {
  type ApiAnswer,
  type AuthorizedCallOptions,
  type AuthorizedClientOptions,
  createRequestAuthorizer,
  type OutgoingRequest,
  type RequestAuthorization,
  type RequestAuthorizer,
  type RequestTokenParameters,
} from './request-authorizer'
export { isReplayableBody, type Redirection, redirection } from './resending'
export type { LoadContext, LoadedToken, TokenCache, TokenLoader, WantedToken } from './token-cache'
export {
  createTokenManager,
  type GetAccessTokenOptions,
  type PresentedRequest,
  type TokenManager,
  type TokenManagerOptions,
  type TokenParameters,
} from './token-manager'
export type {
  ClientAssertion,
  ClientAssertionContext,
  TokenRequest,
  TokenRequester,
  TokenResponse,
} from './token-requester'
export type { Awaitable, LeaseAnswer, StoreLease, TokenStore } from './token-store'
