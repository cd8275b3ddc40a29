import { DefaultTokenManager } from './internal/manager/default-token-manager'
import type { TokenManager, TokenManagerOptions } from './token-manager'

/**
 * Makes a token manager: one for a process is the usual number.
 *
 * @throws ConfigurationError naming every problem of every client
 */
export function createTokenManager(
  options: TokenManagerOptions & { resolveClient: NonNullable<TokenManagerOptions['resolveClient']> },
): TokenManager
export function createTokenManager<const Name extends string>(options: TokenManagerOptions<Name>): TokenManager<Name>
export function createTokenManager(options: TokenManagerOptions): TokenManager {
  return new DefaultTokenManager(options)
}
