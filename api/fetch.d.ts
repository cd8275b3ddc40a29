import { AuthorizedCallOptions } from '@tokenward/core';
import { AuthorizedClientOptions } from '@tokenward/core';
import { TokenManager } from '@tokenward/core';

type AuthorizedFetch = (input: string | URL | Request, init?: AuthorizedRequestInit) => Promise<Response>;
interface AuthorizedRequestInit extends Omit<RequestInit, 'signal'>, AuthorizedCallOptions {
    signal?: AbortSignal | null | undefined;
}
interface FetchOptions extends AuthorizedClientOptions {
    fetch?: typeof fetch | undefined;
}
declare function createFetch<Name extends string>(tokens: TokenManager<Name>, client: NoInfer<Name>, options: FetchOptions): AuthorizedFetch;

export type { AuthorizedFetch };
export type { AuthorizedRequestInit };
export type { FetchOptions };
export { createFetch };
