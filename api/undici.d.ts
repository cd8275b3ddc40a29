import { AuthorizedClientOptions } from '@tokenward/core';
import { Dispatcher } from 'undici';
import { TokenManager } from '@tokenward/core';

interface TokenInterceptorOptions extends AuthorizedClientOptions {
}
declare function tokenInterceptor<Name extends string>(tokens: TokenManager<Name>, client: NoInfer<Name>, options: TokenInterceptorOptions): Dispatcher.DispatcherComposeInterceptor;

export type { TokenInterceptorOptions };
export { tokenInterceptor };
