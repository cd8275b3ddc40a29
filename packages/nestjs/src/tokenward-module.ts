import { type DynamicModule, Module, type Provider } from '@nestjs/common'
import { createTokenManager, type TokenManager, type TokenManagerOptions } from '@tokenward/core'
import type { HttpClients } from './http-clients'
import { getClientToken, TOKEN_MANAGER } from './inject'
import { Lifecycle } from './internal/lifecycle'
import { nestLogger } from './internal/nest-logger'
import type { TokenwardAsyncOptions, TokenwardOptions } from './module-options'

const OPTIONS = Symbol('@tokenward/nestjs options')

/**
 * Access tokens in a NestJS application. `forRoot` is imported once, and is global. `forFeature` is imported where HTTP clients are needed.
 * The token manager is closed with the application; for signals, call `app.enableShutdownHooks()`.
 *
 * @example
 * `@Module({
 *   imports: [
 *     TokenwardModule.forRoot({ clients: { 'invoice.client': { issuer, clientId, clientSecret } } }),
 *     TokenwardModule.forFeature({ invoices: (tokens) => createFetch(tokens, 'invoice.client', { baseURL }) }),
 *   ],
 * })`
 */
// biome-ignore lint/complexity/noStaticOnlyClass: a module of NestJS is a class
export class TokenwardModule {
  /** @throws ConfigurationError when the application starts, with everything that is wrong in the definitions */
  static forRoot(options: TokenwardOptions): DynamicModule {
    return root({ provide: OPTIONS, useValue: options })
  }

  /** As `forRoot`, with options that providers of the application are needed for, such as its `ConfigService`. */
  static forRootAsync({ imports = [], inject = [], useFactory }: TokenwardAsyncOptions): DynamicModule {
    return { ...root({ provide: OPTIONS, inject, useFactory }), imports }
  }

  /** HTTP clients that `@InjectClient(name)` injects. The module that imports this can inject them, and export them. */
  static forFeature(clients: HttpClients, imports: DynamicModule['imports'] = []): DynamicModule {
    const providers = Object.entries(clients).map(([name, client]) => {
      const { create, inject = [] } = typeof client === 'function' ? { create: client } : client
      return { provide: getClientToken(name), inject: [TOKEN_MANAGER, ...inject], useFactory: create }
    })
    return { module: TokenwardModule, imports, providers, exports: providers.map(({ provide }) => provide) }
  }
}

// Decorators as functions: the package needs no compiler option for them.
Module({})(TokenwardModule)

function root(options: Provider): DynamicModule {
  const providers: Provider[] = [
    options,
    { provide: TOKEN_MANAGER, inject: [OPTIONS], useFactory: managerOf },
    {
      provide: Lifecycle,
      inject: [OPTIONS, TOKEN_MANAGER],
      useFactory: (given: TokenwardOptions, tokens: TokenManager) =>
        new Lifecycle(tokens, given.warmUp ?? false, !('tokens' in given)),
    },
  ]
  return { module: TokenwardModule, global: true, providers, exports: [TOKEN_MANAGER] }
}

function managerOf(options: TokenwardOptions): TokenManager {
  if ('tokens' in options) return options.tokens
  const { warmUp, ...own } = options
  const given: TokenManagerOptions = { logger: nestLogger(), ...own }
  return createTokenManager(given)
}
