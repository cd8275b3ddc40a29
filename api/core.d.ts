import { ClientAuth } from 'openid-client';
import { CryptoKey } from 'jose';
import { JWK } from 'jose';

interface AccessToken {
    readonly value: string;
    readonly type: 'Bearer' | 'DPoP' | 'N_A';
    readonly expiresAt: Date | undefined;
    readonly scope: string | undefined;
    readonly client: string;
}
interface AcquiredToken {
    readonly source: TokenUsed['source'];
    readonly remainingMs: number;
}
interface Acquisition {
    readonly client: string;
    readonly reason: RetrievalReason;
    readonly isBackground: boolean;
}
type AcquisitionHook = (acquisition: Acquisition, acquire: () => Promise<AcquiredToken>) => Promise<unknown> | undefined;
interface ApiRejection {
    readonly reason?: RejectionReason | undefined;
    readonly claims?: string | undefined;
}
interface ApiResponse {
    readonly status: number;
    readonly headers: {
        get(name: string): string | null;
    };
    readonly url?: string | undefined;
    discard?(): void | Promise<void>;
}
type AuthorizeOptions = AuthorizedCallOptions & {
    signal?: AbortSignal | (() => AbortSignal) | undefined;
};
interface AuthorizedCallOptions {
    tokenParameters?: RequestTokenParameters | undefined;
    retryOn401?: boolean | undefined;
    proofClaims?: Readonly<Record<string, unknown>> | undefined;
}
interface AuthorizedClientOptions extends AuthorizedCallOptions {
    claimsChallenges?: boolean | undefined;
    stepUp?: StepUpOptions | undefined;
    baseURL?: string | URL | undefined;
    allowedOrigins?: readonly (string | URL)[] | undefined;
}
type Awaitable<T> = T | Promise<T>;
interface CacheGetOptions {
    readonly client: string;
    readonly isBound: boolean;
    readonly mayBeNA?: boolean | undefined;
    readonly group: string;
    readonly endpointKey: string;
    readonly loader: TokenLoader;
    readonly expirationBufferMs: number;
    readonly leaseMs: number;
    readonly minValidityMs?: number | undefined;
    readonly forceRenewal?: boolean | undefined;
    readonly keepsFresh?: boolean | undefined;
    readonly insteadOf?: AccessToken | undefined;
    readonly signal?: AbortSignal | undefined;
}
interface CallbackFailed {
    readonly client: string;
    readonly reason: string;
}
interface CircuitClosed {
    readonly client: string;
    readonly endpoint: string;
    readonly failedForMs: number;
}
interface CircuitHalfOpened {
    readonly client: string;
    readonly endpoint: string;
}
interface CircuitOpened {
    readonly client: string;
    readonly endpoint: string;
    readonly error: TokenRequestError;
    readonly retryAfterMs: number;
    readonly wasOpen: boolean;
}
type ClientAssertion = string | ((context: ClientAssertionContext) => string | Promise<string>);
interface ClientAssertionContext {
    readonly client: string;
    readonly audience: string;
    readonly signal?: AbortSignal | undefined;
}
interface ClientConfiguration {
    readonly name: string;
    readonly tokenEndpoint: string | undefined;
    readonly issuer: string | undefined;
    readonly clientId: string;
    readonly clientSecret: ClientSecret | (() => ClientSecret | Promise<ClientSecret>) | undefined;
    readonly clientAuth: ClientAuth | undefined;
    readonly clientAssertion: ClientAssertion | undefined;
    readonly scope: string | undefined;
    readonly resource: readonly string[];
    readonly audience: string | undefined;
    readonly parameters: Readonly<Record<string, string>>;
    readonly dpopKeyPair: (() => Promise<KeyPair>) | undefined;
    readonly fetch: typeof fetch;
    readonly timeoutMs: number;
    readonly expirationBufferMs: number;
    readonly defaultLifetimeMs: number;
    readonly allowInsecureRequests: boolean;
    readonly mtls: boolean;
}
interface ClientCredentialsOptions {
    clock?: Clock | undefined;
}
interface ClientDefinition {
    tokenEndpoint?: string | URL | undefined;
    issuer?: string | URL | undefined;
    clientId: string;
    clientSecret?: ClientSecret | (() => ClientSecret | Promise<ClientSecret>) | undefined;
    clientAuth?: ClientAuth | undefined;
    clientAssertion?: ClientAssertion | undefined;
    scope?: string | undefined;
    resource?: string | URL | readonly (string | URL)[] | undefined;
    audience?: string | undefined;
    parameters?: Readonly<Record<string, string | undefined>> | undefined;
    dpop?: boolean | DPoPOptions | undefined;
    mtls?: boolean | undefined;
    fetch?: typeof fetch | undefined;
    timeoutMs?: number | undefined;
    expirationBufferMs?: number | undefined;
    defaultLifetimeMs?: number | undefined;
    allowInsecureRequests?: boolean | undefined;
    requester?: TokenRequester | undefined;
}
type ClientDefinitionSource = ClientDefinition | ((context: DefinitionContext) => Promise<ClientDefinition>);
type ClientSecret = string | readonly string[];
interface ClientStatus {
    readonly circuit?: 'closed' | 'open' | 'halfOpen';
    readonly secretIndex?: number;
    readonly tokens: readonly TokenStatus[];
}
interface Clock {
    now(): number;
    monotonic(): number;
    setTimeout(callback: () => void, delayMs: number, options?: TimerOptions): () => void;
}
declare class ConfigurationError extends TokenwardError {
    readonly code = "invalid_configuration";
    readonly problems: readonly ConfigurationProblem[];
    constructor(problems: readonly ConfigurationProblem[]);
}
interface ConfigurationProblem {
    readonly client?: string | undefined;
    readonly option: string;
    readonly message: string;
}
interface DPoPOptions {
    readonly key: KeyPair | JWK;
    readonly alg?: string | undefined;
}
interface DefinitionContext {
    readonly client: string;
    readonly signal: AbortSignal;
}
type DemandedStepUp = Omit<StepUpDemanded, 'client'>;
interface DiscardLimit {
    count(bytes: number): void;
    release(): void;
}
interface GetAccessTokenOptions extends TokenParameters {
    signal?: AbortSignal | undefined;
    insteadOf?: AccessToken | undefined;
}
interface GrantContext {
    readonly client: string;
    readonly audience: string;
    readonly parameters: Readonly<Record<string, string>>;
    readonly signal?: AbortSignal | undefined;
}
type GrantCredential = string | ((context: GrantContext) => string | Promise<string>);
type GrantSubject = string | ((context: Omit<GrantContext, 'audience' | 'signal'>) => string);
interface IdJagOptions {
    identityProvider: IdentityProviderClient;
    subjectToken: GrantCredential;
    subjectTokenType?: string | undefined;
    subject?: GrantSubject | undefined;
    audience?: string | undefined;
    clock?: Clock | undefined;
}
type IdentityProviderClient = Omit<ClientDefinition, 'scope' | 'resource' | 'audience' | 'dpop' | 'requester'>;
interface JwtBearerOptions {
    assertion: GrantCredential;
    subject?: GrantSubject | undefined;
}
type KeepFreshCallback = (token: AccessToken) => unknown;
interface KeepFreshOptions extends Omit<TokenParameters, 'forceRenewal'> {
    onError?: ((error: unknown) => void) | undefined;
}
interface KeptCredential {
    readonly value: string | undefined;
    readonly signal: AbortSignal;
    sending(): void;
    keep(value: string, lifetimeMs: number): Promise<void>;
    newer(): Promise<string | undefined>;
}
interface KeptCredentials {
    use<T>(id: string, use: (credential: KeptCredential) => Promise<T>): Promise<T>;
}
interface KeyPair {
    readonly privateKey: CryptoKey;
    readonly publicKey: CryptoKey;
}
interface LeaseAwaited {
    readonly client: string;
}
type LeaseResult = {
    readonly value: string;
    readonly lease?: undefined;
} | {
    readonly lease: StoreLease;
    readonly value?: undefined;
    readonly unreadable?: Error | undefined;
};
interface LeaseTakenOver {
    readonly client: string;
    readonly waitedMs: number;
}
interface LimitedWork<T> {
    readonly client: string;
    readonly step: string;
    readonly signal?: AbortSignal | undefined;
    run(): T | Promise<T>;
}
interface LoadContext {
    readonly signal: AbortSignal;
    isAwaited(): boolean;
    readonly reason?: RetrievalReason | undefined;
    readonly claims?: string | undefined;
    beforeRetry?(): Promise<void>;
    probeTurn?(): Promise<((succeeded: boolean) => void) | undefined>;
}
interface LoadedToken {
    readonly token: AccessToken;
    readonly lifetimeMs: number;
    readonly refreshInMs?: number | undefined;
    readonly requestedAt: number;
}
interface Logger {
    debug(message: string, details: object): void;
    info(message: string, details: object): void;
    warn(message: string, details: object): void;
    error(message: string, details: object): void;
}
interface ManagerStatus {
    readonly isClosed: boolean;
    readonly store: 'none' | 'ok' | 'failing';
    readonly clients: Readonly<Record<string, ClientStatus>>;
}
interface NewTokenRejected {
    readonly client: string;
    readonly origin: string | undefined;
}
interface NonceRetried {
    readonly client: string;
    readonly at: 'token_endpoint' | 'api';
}
declare class OriginNotAllowedError extends TokenwardError {
    readonly code = "origin_not_allowed";
    readonly origin: string;
    readonly allowedOrigins: readonly string[];
    constructor(origin: string, allowedOrigins: readonly string[], reason?: 'plain http');
}
interface OutgoingRequest {
    readonly method: string;
    readonly url: URL;
    readonly headers: Headers;
}
interface PresentedRequest {
    readonly method: string;
    readonly url: URL;
    readonly proofClaims?: Readonly<Record<string, unknown>> | undefined;
}
interface ProtectedResourceOptions extends Omit<ClientDefinition, 'issuer' | 'tokenEndpoint' | 'resource'> {
    resource: string | URL;
    allowedIssuers: readonly string[];
    sendsResource?: boolean | undefined;
}
interface ReadyToken {
    readonly token: AccessToken;
    readonly promise: Promise<AccessToken>;
}
interface ReceivedNonce {
    readonly url: URL;
    readonly nonce: string;
    readonly willRetry: boolean;
}
interface Redirection {
    readonly url: URL;
    readonly method: string;
    readonly keepsBody: boolean;
    readonly headersDropped: readonly string[];
}
interface RefreshTokenOptions {
    refreshToken: GrantCredential;
    subject?: GrantSubject | undefined;
    lifetimeMs?: number | undefined;
}
interface RejectOptions extends ApiRejection {
    readonly wasAccepted?: boolean | undefined;
    readonly origin?: string | undefined;
}
type RejectionReason = 'invalid_request' | 'invalid_token' | 'insufficient_scope' | 'invalid_dpop_proof' | 'insufficient_claims' | 'insufficient_user_authentication';
interface RenewalFailed {
    readonly client: string;
    readonly error: TokenRequestError;
    readonly expiresAt: Date;
    readonly isFirst: boolean;
}
interface RenewalStarted {
    readonly client: string;
}
interface RequestAuthorization {
    readonly url: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly followsRedirects: boolean;
    redirected(method: string, url: URL): Promise<Readonly<Record<string, string>> | undefined>;
    isAnswer(status: number): boolean;
    next(response: ApiResponse, replayable: boolean): Promise<RequestAuthorization | undefined>;
}
interface RequestAuthorizer {
    resolve(input: string | URL): URL;
    resolveHref(input: string | URL): string;
    authorize(request: RequestToAuthorize, options?: AuthorizeOptions): Promise<RequestAuthorization>;
    begin(request: RequestToAuthorize, options?: AuthorizeOptions): RequestAuthorization | Promise<RequestAuthorization>;
}
interface RequestToAuthorize {
    readonly method: string;
    readonly url: string | URL;
    headers(): Headers;
}
type RequestTokenParameters = TokenParameters | ((request: OutgoingRequest) => TokenParameters | Promise<TokenParameters>);
interface RequestedToken {
    readonly scope: string | undefined;
    readonly resource: readonly string[];
    readonly audience: string | undefined;
    readonly parameters: Readonly<Record<string, string>>;
}
type RetrievalReason = 'first' | 'ahead' | 'expired' | 'rejected' | 'forced' | 'replaced';
interface SecretRotated {
    readonly client: string;
    readonly index: number;
}
interface StepUpDemanded {
    readonly client: string;
    readonly origin: string;
    readonly reason: RejectionReason;
    readonly isAllowed: boolean;
}
interface StepUpOptions {
    scopes?: readonly string[] | undefined;
    acrValues?: readonly string[] | undefined;
    maxAge?: boolean | undefined;
}
interface StoreFailed {
    readonly operation: 'get' | 'set' | 'delete' | 'lease' | 'release';
    readonly reason: string;
}
interface StoreLease {
    commit(value: string, ttlMs: number, group?: string): Awaitable<boolean>;
    release(): Awaitable<void>;
}
interface StoreRecovered {
    readonly failedForMs: number;
}
interface TimerOptions {
    readonly unref?: boolean | undefined;
}
declare function TlsClientAuth(): ClientAuth;
interface TokenAccepted {
    readonly client: string;
    readonly origin: string;
}
interface TokenCache {
    get(key: string, options: CacheGetOptions): Promise<AccessToken>;
    window?(key: string, options: CacheGetOptions): TokenWindow | undefined;
    reject(key: string, token: AccessToken, options?: RejectOptions): boolean;
    delete(key: string): Promise<void>;
    clear(client?: string, group?: string): Promise<void>;
    held(client: string): readonly AccessToken[];
    status?(client: string): readonly TokenStatus[];
    idleMs?(key: string): number | undefined;
    forget(client: string): void;
    close(): Promise<void>;
}
interface TokenEvents {
    tokenUsed: TokenUsed;
    tokenRetrieved: TokenRetrieved;
    tokenRequestFailed: TokenRequestFailed;
    renewalStarted: RenewalStarted;
    renewalFailed: RenewalFailed;
    tokenUnavailable: TokenUnavailable;
    tokenRecovered: TokenRecovered;
    tokenRejected: TokenRejected;
    newTokenRejected: NewTokenRejected;
    tokenAccepted: TokenAccepted;
    stepUpDemanded: StepUpDemanded;
    nonceRetried: NonceRetried;
    secretRotated: SecretRotated;
    circuitOpened: CircuitOpened;
    circuitHalfOpened: CircuitHalfOpened;
    circuitClosed: CircuitClosed;
    leaseAwaited: LeaseAwaited;
    leaseTakenOver: LeaseTakenOver;
    storeFailed: StoreFailed;
    storeRecovered: StoreRecovered;
    callbackFailed: CallbackFailed;
}
interface TokenExchangeOptions {
    subjectToken: GrantCredential;
    subjectTokenType?: string | undefined;
    subject?: GrantSubject | undefined;
    actorToken?: GrantCredential | undefined;
    actorTokenType?: string | undefined;
    requestedTokenType?: string | undefined;
}
interface TokenLoader {
    load(context: LoadContext): Promise<LoadedToken>;
    circuitError(): TokenRequestError | undefined;
    openCircuit(error: TokenRequestError): void;
}
interface TokenManager<Name extends string = string> extends TokenPresenter<Name>, TracedTokens {
    getAccessToken(client: Name, options?: GetAccessTokenOptions): Promise<AccessToken>;
    deleteAccessToken(client: Name, options?: TokenParameters): Promise<void>;
    revoke(client: Name): Promise<boolean>;
    clear(client?: Name): Promise<void>;
    addClient<Added extends string>(client: Added, definition: ClientDefinitionSource): TokenManager<Name | Added>;
    removeClient(client: Name | (string & {})): void;
    warmUp(clients?: readonly Name[]): Promise<void>;
    keepFresh(client: Name, callback: KeepFreshCallback, options?: KeepFreshOptions): Unsubscribe;
    status(): ManagerStatus;
    on<Event extends keyof TokenEvents>(event: Event, listener: (event: TokenEvents[Event]) => void): Unsubscribe;
    close(): Promise<void>;
}
interface TokenManagerOptions<Name extends string = string> {
    clients?: Readonly<Record<Name, ClientDefinitionSource>> | undefined;
    resolveClient?: ((name: string) => Promise<ClientDefinition | undefined>) | undefined;
    store?: TokenStore | undefined;
    storeTimeoutMs?: number | undefined;
    localLifetimeMs?: number | undefined;
    maxEntries?: number | undefined;
    timeoutMs?: number | undefined;
    expirationBufferMs?: number | undefined;
    defaultLifetimeMs?: number | undefined;
    revokeOnClose?: boolean | undefined;
    logger?: Logger | undefined;
    requester?: TokenRequester | undefined;
    cache?: TokenCache | undefined;
    clock?: Clock | undefined;
    random?: (() => number) | undefined;
}
interface TokenParameters {
    scope?: string | undefined;
    resource?: string | URL | readonly (string | URL)[] | undefined;
    audience?: string | undefined;
    parameters?: Readonly<Record<string, string | undefined>> | undefined;
    clientAssertion?: ClientAssertion | undefined;
    minValidityMs?: number | undefined;
    forceRenewal?: boolean | undefined;
}
interface TokenPresenter<Name extends string = string> {
    readyAccessToken?(client: Name, options?: GetAccessTokenOptions): AccessToken | undefined;
    rejectAccessToken(client: Name, token: AccessToken, options?: TokenParameters, origin?: string, rejection?: ApiRejection): Promise<boolean>;
    reportRejectedRetry(token: AccessToken, origin: string): void;
    reportStepUp?(client: Name, demanded: DemandedStepUp): void;
    acceptAccessToken(token: AccessToken, origin: string): void;
    followResourceMetadata?(client: Name, url: URL): Promise<boolean>;
    presentAccessToken(client: Name, token: AccessToken, request: PresentedRequest): Promise<Record<string, string>>;
    rememberNonce(client: Name, received: ReceivedNonce): Promise<void>;
    allowsInsecureRequests(client: Name): boolean | undefined;
    waitFor<T>(work: LimitedWork<T>): Promise<T>;
}
interface TokenRecovered {
    readonly client: string;
    readonly failedForMs: number;
    readonly isLast: boolean;
}
interface TokenRejected {
    readonly client: string;
    readonly origin: string | undefined;
    readonly willRenew: boolean;
    readonly reason: RejectionReason | undefined;
    readonly isRepeated: boolean;
}
interface TokenRequest extends RequestedToken {
    readonly callerParameters?: Readonly<Record<string, string>> | undefined;
    readonly clientAssertion: ClientAssertion | undefined;
    readonly signal: AbortSignal;
    nonceRetried(): void;
    secretRotated?(index?: number): void;
    serverTime?(milliseconds: number): void;
    sending?(): void;
    readonly kept?: KeptCredentials;
}
declare class TokenRequestError extends TokenwardError {
    readonly code = "token_request_failed";
    readonly client: string;
    readonly error: TokenRequestErrorReason;
    readonly errorDescription: string | undefined;
    readonly status: number | undefined;
    readonly retryable: boolean;
    readonly retryAfterMs: number | undefined;
    readonly step: TokenRequestStep | undefined;
    readonly url: string | undefined;
    readonly cause?: unknown;
    constructor(details: TokenRequestErrorDetails);
}
interface TokenRequestErrorDetails {
    client: string;
    error: TokenRequestErrorReason;
    errorDescription?: string | undefined;
    status?: number | undefined;
    retryable: boolean;
    retryAfterMs?: number | undefined;
    step?: TokenRequestStep | undefined;
    url?: string | undefined;
    cause?: unknown;
}
type TokenRequestErrorReason = 'timeout' | 'network_error' | 'server_error' | 'invalid_response' | 'credential_unavailable' | 'closed' | 'invalid_client' | 'invalid_grant' | 'invalid_request' | 'invalid_scope' | 'invalid_target' | 'unauthorized_client' | 'unsupported_grant_type' | (string & {});
interface TokenRequestFailed {
    readonly client: string;
    readonly error: TokenRequestError;
    readonly reason: RetrievalReason | undefined;
    readonly attempt: number;
    readonly willRetry: boolean;
}
type TokenRequestStep = 'resource_metadata' | 'discovery' | 'token_request' | 'revocation' | 'supplier';
interface TokenRequester {
    readonly mayIssueNA?: boolean | undefined;
    request(client: ClientConfiguration, request: TokenRequest): Promise<TokenResponse>;
    identity?(client: ClientConfiguration, requested: RequestedToken): Awaitable<string | undefined>;
    revoke?(client: ClientConfiguration, token: string, request: TokenRequest): Promise<boolean>;
}
interface TokenResponse {
    readonly access_token: string;
    readonly token_type: string;
    readonly expires_in?: number | undefined;
    readonly issued_token_type?: string | undefined;
    readonly refresh_in?: number | undefined;
    readonly scope?: string | undefined;
}
interface TokenRetrieved {
    readonly client: string;
    readonly source: 'endpoint' | 'store';
    readonly reason: RetrievalReason;
    readonly durationMs: number;
    readonly expiresAt: Date;
    readonly lifetimeMs: number;
}
interface TokenStatus {
    readonly key?: string;
    readonly state: 'valid' | 'rejected' | 'expired' | 'missing';
    readonly scope?: string;
    readonly source?: 'endpoint' | 'store';
    readonly validUntil?: string;
    readonly ageMs?: number;
    readonly lifetimeMs?: number;
    readonly inFlight?: boolean;
    readonly lastError?: TokenStatusError;
}
interface TokenStatusError {
    readonly error: string;
    readonly errorDescription?: string;
    readonly status?: number;
    readonly retryable: boolean;
    readonly at: string;
}
interface TokenStore {
    get(key: string): Awaitable<string | undefined>;
    set(key: string, value: string, ttlMs: number, group?: string): Awaitable<void>;
    delete(key: string): Awaitable<void>;
    lease?(key: string, leaseMs: number, staleValue?: string, group?: string): Awaitable<LeaseResult | undefined>;
    deleteGroup?(group: string): Awaitable<void>;
}
interface TokenUnavailable {
    readonly client: string;
    readonly error: TokenRequestError;
    readonly isFirst: boolean;
}
interface TokenUsed {
    readonly client: string;
    readonly source: 'memory' | 'endpoint' | 'store';
    readonly remainingMs: number;
}
interface TokenWindow {
    use(minValidityMs?: number | undefined): ReadyToken | undefined;
    useAgain?(): ReadyToken | undefined;
}
declare abstract class TokenwardError extends Error {
    abstract readonly code: string;
    constructor(message: string);
}
interface TracedTokens {
    aroundAcquisition(hook: AcquisitionHook): Unsubscribe;
}
declare class UnknownClientError extends TokenwardError {
    readonly code = "unknown_client";
    readonly client: string;
    readonly knownClients: readonly string[];
    constructor(client: string, knownClients: readonly string[]);
}
type Unsubscribe = () => void;
declare class WarmUpError extends TokenwardError {
    readonly code = "warm_up_failed";
    readonly failures: readonly WarmUpFailure[];
    constructor(failures: readonly WarmUpFailure[], clients: number);
}
interface WarmUpFailure {
    readonly client: string;
    readonly error: TokenwardError;
}
declare function clientCredentials({ clock }?: ClientCredentialsOptions): TokenRequester;
declare function copyByName<Source extends object>(source: Source): Source;
declare function createRequestAuthorizer<Name extends string>(tokens: TokenManager<Name>, client: Name, options: AuthorizedClientOptions): RequestAuthorizer;
declare function createTokenManager(options: TokenManagerOptions & {
    resolveClient: NonNullable<TokenManagerOptions['resolveClient']>;
}): TokenManager;
declare function createTokenManager<const Name extends string>(options: TokenManagerOptions<Name>): TokenManager<Name>;
declare function discardLimit(cut: () => void): DiscardLimit;
declare function idJag(options: IdJagOptions): TokenRequester;
declare function isLoopback(hostname: string): boolean;
declare function isReplayableBody(body: unknown): boolean;
declare function jwtBearer({ assertion, subject }: JwtBearerOptions): TokenRequester;
declare function nearestName(name: string, known: readonly string[]): string | undefined;
declare function protectedResource(options: ProtectedResourceOptions): (context: DefinitionContext) => Promise<ClientDefinition>;
declare function redirection(request: {
    readonly method: string;
    readonly url: URL;
}, response: {
    readonly status: number;
    readonly location: string | null | undefined;
}): Redirection | undefined;
declare function refreshToken({ refreshToken: first, subject, lifetimeMs, }: RefreshTokenOptions): TokenRequester;
declare function snapshotBody<Body>(body: Body): Body;
declare function snapshotParameters<Parameters extends TokenParameters>(given: Parameters | undefined): Parameters;
declare function tokenExchange(options: TokenExchangeOptions): TokenRequester;

export type { AccessToken };
export type { AcquiredToken };
export type { Acquisition };
export type { AcquisitionHook };
export type { ApiRejection };
export type { ApiResponse };
export type { AuthorizedCallOptions };
export type { AuthorizedClientOptions };
export type { Awaitable };
export type { CacheGetOptions };
export type { CallbackFailed };
export type { CircuitClosed };
export type { CircuitHalfOpened };
export type { CircuitOpened };
export type { ClientAssertion };
export type { ClientAssertionContext };
export type { ClientConfiguration };
export type { ClientCredentialsOptions };
export type { ClientDefinition };
export type { ClientDefinitionSource };
export type { ClientSecret };
export type { ClientStatus };
export type { Clock };
export type { ConfigurationProblem };
export type { DPoPOptions };
export type { DefinitionContext };
export type { DemandedStepUp };
export type { DiscardLimit };
export type { GetAccessTokenOptions };
export type { GrantContext };
export type { GrantCredential };
export type { GrantSubject };
export type { IdJagOptions };
export type { IdentityProviderClient };
export type { JwtBearerOptions };
export type { KeepFreshCallback };
export type { KeepFreshOptions };
export type { KeptCredential };
export type { KeptCredentials };
export type { KeyPair };
export type { LeaseAwaited };
export type { LeaseResult };
export type { LeaseTakenOver };
export type { LimitedWork };
export type { LoadContext };
export type { LoadedToken };
export type { Logger };
export type { ManagerStatus };
export type { NewTokenRejected };
export type { NonceRetried };
export type { OutgoingRequest };
export type { PresentedRequest };
export type { ProtectedResourceOptions };
export type { ReadyToken };
export type { ReceivedNonce };
export type { Redirection };
export type { RefreshTokenOptions };
export type { RejectOptions };
export type { RejectionReason };
export type { RenewalFailed };
export type { RenewalStarted };
export type { RequestAuthorization };
export type { RequestAuthorizer };
export type { RequestToAuthorize };
export type { RequestTokenParameters };
export type { RequestedToken };
export type { RetrievalReason };
export type { SecretRotated };
export type { StepUpDemanded };
export type { StepUpOptions };
export type { StoreFailed };
export type { StoreLease };
export type { StoreRecovered };
export type { TimerOptions };
export type { TokenAccepted };
export type { TokenCache };
export type { TokenEvents };
export type { TokenExchangeOptions };
export type { TokenLoader };
export type { TokenManager };
export type { TokenManagerOptions };
export type { TokenParameters };
export type { TokenPresenter };
export type { TokenRecovered };
export type { TokenRejected };
export type { TokenRequest };
export type { TokenRequestErrorDetails };
export type { TokenRequestErrorReason };
export type { TokenRequestFailed };
export type { TokenRequestStep };
export type { TokenRequester };
export type { TokenResponse };
export type { TokenRetrieved };
export type { TokenStatus };
export type { TokenStatusError };
export type { TokenStore };
export type { TokenUnavailable };
export type { TokenUsed };
export type { TokenWindow };
export type { TracedTokens };
export type { Unsubscribe };
export type { WarmUpFailure };
export { ClientAuth } from 'openid-client';
export { ClientSecretBasic } from 'openid-client';
export { ClientSecretJwt } from 'openid-client';
export { ClientSecretPost } from 'openid-client';
export { ConfigurationError };
export { None } from 'openid-client';
export { OriginNotAllowedError };
export { PrivateKeyJwt } from 'openid-client';
export { TlsClientAuth };
export { TokenRequestError };
export { TokenwardError };
export { UnknownClientError };
export { WarmUpError };
export { clientCredentials };
export { copyByName };
export { createRequestAuthorizer };
export { createTokenManager };
export { discardLimit };
export { idJag };
export { isLoopback };
export { isReplayableBody };
export { jwtBearer };
export { nearestName };
export { protectedResource };
export { redirection };
export { refreshToken };
export { snapshotBody };
export { snapshotParameters };
export { tokenExchange };
