// Part 1: for users.

export {
  type ClientAuth,
  ClientSecretBasic,
  ClientSecretJwt,
  ClientSecretPost,
  None,
  PrivateKeyJwt,
} from 'openid-client'
export type { AccessToken } from './access-token'
export type { RejectionReason } from './api-rejection'
export type {
  AuthorizedCallOptions,
  AuthorizedClientOptions,
  OutgoingRequest,
  RequestTokenParameters,
} from './authorized-client-options'
export type { ClientAssertion, ClientAssertionContext } from './client-assertion'
export type { ClientDefinition, ClientDefinitionSource, DefinitionContext } from './client-definition'
export type { ClientSecret } from './client-secret'
export type { Clock, TimerOptions } from './clock'
export { createTokenManager } from './create-token-manager'
export type { DPoPOptions, KeyPair } from './dpop-key'
export {
  ConfigurationError,
  type ConfigurationProblem,
  OriginNotAllowedError,
  TokenRequestError,
  type TokenRequestErrorReason,
  type TokenRequestStep,
  TokenwardError,
  UnknownClientError,
  WarmUpError,
  type WarmUpFailure,
} from './errors'
export type {
  CallbackFailed,
  CircuitClosed,
  CircuitHalfOpened,
  CircuitOpened,
  LeaseAwaited,
  LeaseTakenOver,
  Logger,
  NewTokenRejected,
  NonceRetried,
  RenewalFailed,
  RenewalStarted,
  RetrievalReason,
  SecretRotated,
  StepUpDemanded,
  StoreFailed,
  StoreRecovered,
  TokenAccepted,
  TokenEvents,
  TokenRecovered,
  TokenRejected,
  TokenRequestFailed,
  TokenRetrieved,
  TokenUnavailable,
  TokenUsed,
  Unsubscribe,
} from './events'
export {
  type ClientCredentialsOptions,
  clientCredentials,
  type GrantContext,
  type GrantCredential,
  type GrantSubject,
  type JwtBearerOptions,
  jwtBearer,
  type RefreshTokenOptions,
  refreshToken,
  type TokenExchangeOptions,
  tokenExchange,
} from './grants'
export { type IdentityProviderClient, type IdJagOptions, idJag } from './id-jag'
export type { KeepFreshCallback, KeepFreshOptions } from './keep-fresh'
export { type ProtectedResourceOptions, protectedResource } from './protected-resource'
export type { StepUpOptions } from './step-up-options'
export { TlsClientAuth } from './tls-client-auth'
export type { TokenManager, TokenManagerOptions } from './token-manager'
export type { GetAccessTokenOptions, TokenParameters } from './token-parameters'
export type { ClientStatus, ManagerStatus, TokenStatus, TokenStatusError } from './token-status'

// Part 2: for authors of adapters, stores, caches, requesters and tools.

export type { AcquiredToken, Acquisition, AcquisitionHook, TracedTokens } from './acquisition'
export type { ApiRejection } from './api-rejection'
export type { ClientConfiguration } from './client-configuration'
export { copyByName } from './copy-by-name'
export type { TokenRequestErrorDetails } from './errors'

export { isLoopback } from './is-loopback'

export type { KeptCredential, KeptCredentials } from './kept-credentials'

export { nearestName } from './nearest-name'

export type { ApiResponse, RequestAuthorization, RequestToAuthorize } from './request-authorization'
export { createRequestAuthorizer, type RequestAuthorizer } from './request-authorizer'
export {
  type DiscardLimit,
  discardLimit,
  isReplayableBody,
  type Redirection,
  redirection,
  snapshotBody,
} from './resending'
export { snapshotParameters } from './snapshot-parameters'
export type {
  CacheGetOptions,
  LoadContext,
  LoadedToken,
  ReadyToken,
  RejectOptions,
  TokenCache,
  TokenLoader,
  TokenWindow,
} from './token-cache'
export type { DemandedStepUp, LimitedWork, PresentedRequest, ReceivedNonce, TokenPresenter } from './token-presenter'
export type { RequestedToken, TokenRequest, TokenRequester, TokenResponse } from './token-requester'
export type { Awaitable, LeaseResult, StoreLease, TokenStore } from './token-store'
