import { ClientDefinition } from '@tokenward/core';
import { Clock } from '@tokenward/core';
import { GetAccessTokenOptions } from '@tokenward/core';
import { RequestedToken } from '@tokenward/core';
import { TokenManager } from '@tokenward/core';
import { TokenRequestErrorReason } from '@tokenward/core';

interface TestCall {
    readonly client: string;
    readonly options: Readonly<GetAccessTokenOptions>;
}
interface TestClient extends Pick<ClientDefinition, 'scope' | 'resource' | 'audience' | 'parameters' | 'dpop' | 'allowInsecureRequests'> {
    value?: TestValue | undefined;
    lifetimeMs?: number | undefined;
    grantedScope?: string | undefined;
}
declare class TestClock implements Clock {
    #private;
    constructor(start?: Date | number | string);
    now(): number;
    monotonic(): number;
    setTimeout(callback: () => void, delayMs: number): () => void;
    advance(ms: number): Promise<void>;
}
interface TestFailure {
    error: TokenRequestErrorReason;
    errorDescription?: string | undefined;
    status?: number | undefined;
    retryable?: boolean | undefined;
    retryAfterMs?: number | undefined;
}
interface TestRejection {
    readonly client: string;
    readonly value: string;
    readonly origin: string | undefined;
    readonly willRenew: boolean;
}
interface TestTokenRequest extends RequestedToken {
    readonly client: string;
    readonly clientAssertion: string | undefined;
}
interface TestTokens<Name extends string = string> extends TokenManager<Name> {
    readonly clock: TestClock;
    readonly calls: readonly TestCall[];
    readonly requests: readonly TestTokenRequest[];
    readonly rejections: readonly TestRejection[];
    failNext(client: Name, failure: TestFailure | TokenRequestErrorReason): void;
    failAlways(client: Name, failure: TestFailure | TokenRequestErrorReason): void;
    recover(client: Name): void;
}
interface TestTokensOptions<Name extends string = string> {
    clients: Readonly<Record<Name, TestClient>>;
    clock?: TestClock | undefined;
}
type TestValue = string | readonly string[] | ((request: TestTokenRequest) => string | Promise<string>);
declare function createTestTokens<const Name extends string>(options: TestTokensOptions<Name>): TestTokens<Name>;

export type { TestCall };
export type { TestClient };
export type { TestFailure };
export type { TestRejection };
export type { TestTokenRequest };
export type { TestTokens };
export type { TestTokensOptions };
export type { TestValue };
export { TestClock };
export { createTestTokens };
