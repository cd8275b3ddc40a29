import type { FactoryProvider, ModuleMetadata } from '@nestjs/common'
import type { TokenManager, TokenManagerOptions } from '@tokenward/core'

/**
 * Options of the module: those of `createTokenManager`, or a token manager that was made elsewhere. By default, the logger is NestJS's, with the
 * context `Tokenward`. `logger: undefined` turns that off.
 */
export type TokenwardOptions = (TokenManagerOptions | { readonly tokens: TokenManager }) & {
  /**
   * Gets a token for each client, or for those that are named, before the application starts: it does not start when one cannot be
   * had. Default false.
   */
  readonly warmUp?: boolean | readonly string[] | undefined
}

/** Options of `TokenwardModule.forRootAsync`: how the options are made with providers of the application, such as its `ConfigService`. */
export interface TokenwardAsyncOptions extends Pick<ModuleMetadata, 'imports'> {
  /** The providers that `useFactory` gets. */
  inject?: FactoryProvider['inject']
  // biome-ignore lint/suspicious/noExplicitAny: the types of what is injected are the user's, as in every factory of NestJS
  useFactory(...injected: any[]): TokenwardOptions | Promise<TokenwardOptions>
}
