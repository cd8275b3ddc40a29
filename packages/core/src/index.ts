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
export type { ClientAssertion, ClientAssertionContext } from './client-assertion'
export type { ClientConfiguration } from './client-configuration'
export type { ClientDefinition, ClientDefinitionSource } from './client-definition'
export type { Clock } from './clock'
export { createTokenManager } from './create-token-manager'
export type { DPoPOptions, KeyPair } from './dpop-key'
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
  NonceRetried,
  RenewalStarted,
  StoreFailed,
  TokenEvents,
  TokenRejected,
  TokenRequestFailed,
  TokenRetrieved,
  Unsubscribe,
} from './events'
// For those who write adapters, stores, caches and requesters.
export {
  type ClientCredentialsOptions,
  clientCredentials,
  type GrantContext,
  type GrantCredential,
  type JwtBearerOptions,
  jwtBearer,
  type TokenExchangeOptions,
  tokenExchange,
} from './grants'
export {
  type ApiResponse,
  type AuthorizedCallOptions,
  type AuthorizedClientOptions,
  createRequestAuthorizer,
  type OutgoingRequest,
  type RequestAuthorization,
  type RequestAuthorizer,
  type RequestTokenParameters,
} from './request-authorizer'
export { isReplayableBody, type Redirection, redirection } from './resending'
export { TlsClientAuth } from './tls-client-auth'
export type { CacheGetOptions, LoadContext, LoadedToken, TokenCache, TokenLoader } from './token-cache'
export type {
  GetAccessTokenOptions,
  PresentedRequest,
  TokenManager,
  TokenManagerOptions,
  TokenParameters,
} from './token-manager'
export type {
  TokenRequest,
  TokenRequester,
  TokenResponse,
} from './token-requester'
export type { Awaitable, LeaseResult, StoreLease, TokenStore } from './token-store'
