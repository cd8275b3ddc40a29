import { createTokenManager, type TokenManagerOptions } from '@tokenward/core'
import type { IdentityProvider, IdentityProviderOptions } from '@tokenward/identity-provider'
import { startProvider } from '@tokenward/test-support'
import { onTestFinished } from 'vitest'
import { SCOPE } from './authorization'

/** An authorization server that knows an MCP client and an MCP server. It ends with the test. */
export function startMcpProvider(options: IdentityProviderOptions = {}): Promise<IdentityProvider> {
  return startProvider({
    ...options,
    clients: { 'mcp.client': { scope: SCOPE }, 'mcp.server': {}, ...options.clients },
  })
}

/** A token manager, as one process of a fleet has it. It ends with the test. */
export function mcpTokens(provider: IdentityProvider, options: Omit<TokenManagerOptions, 'clients'> = {}) {
  const { clientId, clientSecret } = provider.client('mcp.client')
  const tokens = createTokenManager({
    ...options,
    clients: { 'mcp.client': { issuer: provider.issuer, clientId, clientSecret, scope: SCOPE } },
  })
  onTestFinished(() => tokens.close())
  return tokens
}

/** Rejects with nothing, and resolves to what `promise` rejects with. */
export async function errorOf(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  const [result] = await Promise.allSettled([promise])
  if (result?.status !== 'rejected') throw new Error('it did not reject')
  return result.reason
}
