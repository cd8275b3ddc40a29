import { $Fetch } from 'ofetch';
import { AuthorizedCallOptions } from '@tokenward/core';
import { AuthorizedClientOptions } from '@tokenward/core';
import { FetchOptions } from 'ofetch';
import { TokenManager } from '@tokenward/core';

declare module 'ofetch' {
    interface FetchOptions extends AuthorizedCallOptions {
    }
}
interface OfetchOptions extends Omit<FetchOptions, keyof AuthorizedClientOptions>, AuthorizedClientOptions {
    fetch?: typeof fetch | undefined;
}
declare function createOfetch<Name extends string>(tokens: TokenManager<Name>, client: NoInfer<Name>, options: OfetchOptions): $Fetch;

export type { OfetchOptions };
export { createOfetch };
