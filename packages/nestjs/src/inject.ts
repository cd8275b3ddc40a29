import { Inject } from '@nestjs/common'

/** The injection token of the token manager, for `app.get(TOKEN_MANAGER)` and for factories. */
export const TOKEN_MANAGER: unique symbol = Symbol.for('@tokenward/nestjs token manager')

/** The injection token of an HTTP client, for `app.get` and for tests that override the provider. */
export function getClientToken(name: string): string {
  return `TokenwardClient:${name}`
}

/**
 * Injects the token manager.
 *
 * @example
 * constructor(@InjectTokens() private readonly tokens: TokenManager) {}
 */
export function InjectTokens(): PropertyDecorator & ParameterDecorator {
  return Inject(TOKEN_MANAGER)
}

/**
 * Injects an HTTP client that was given to `TokenwardModule.forFeature` under this name.
 *
 * @example
 * constructor(@InjectClient('invoices') private readonly invoices: AuthorizedFetch) {}
 */
export function InjectClient(name: string): PropertyDecorator & ParameterDecorator {
  return Inject(getClientToken(name))
}
