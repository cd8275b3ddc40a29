import { AuthorizedCallOptions } from '@tokenward/core';
import { AuthorizedClientOptions } from '@tokenward/core';
import { AxiosInstance } from 'axios';
import { CreateAxiosDefaults } from 'axios';
import { TokenManager } from '@tokenward/core';

declare module 'axios' {
    interface AxiosRequestConfig<D = any, P = any> extends AuthorizedCallOptions {
    }
}
interface AttachTokensOptions extends AuthorizedClientOptions {
}
interface AxiosOptions extends Omit<CreateAxiosDefaults, keyof AuthorizedClientOptions>, AuthorizedClientOptions {
}
declare function attachTokens<Name extends string>(instance: AxiosInstance, tokens: TokenManager<Name>, client: NoInfer<Name>, options?: AttachTokensOptions): () => void;
declare function createAxios<Name extends string>(tokens: TokenManager<Name>, client: NoInfer<Name>, options: AxiosOptions): AxiosInstance;

export type { AttachTokensOptions };
export type { AxiosOptions };
export { attachTokens };
export { createAxios };
