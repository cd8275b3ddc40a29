import { DefaultTokenManager } from './internal/manager/default-token-manager'
import type { TokenManager, TokenManagerOptions } from './token-manager'

/**
 * Makes a token manager. A process usually has one.
 *
 * @example
 * const tokens = createTokenManager({
 *   clients: { 'catalog.client': { issuer: 'https://as.example', clientId: 'id', clientSecret: 'secret' } },
 * })
 *
 * @throws ConfigurationError that names every problem of every client
 */
export function createTokenManager(
  options: TokenManagerOptions & { resolveClient: NonNullable<TokenManagerOptions['resolveClient']> },
): TokenManager
export function createTokenManager<const Name extends string>(options: TokenManagerOptions<Name>): TokenManager<Name>
export function createTokenManager(options: TokenManagerOptions): TokenManager {
  return new DefaultTokenManager(options)
}
