import { createTokenManager, type TokenManagerOptions } from '@tokenward/core'
import {
  type IdentityProvider,
  type IdentityProviderOptions,
  startIdentityProvider,
} from '@tokenward/identity-provider'
import { onTestFinished } from 'vitest'

/** An identity provider that ends with the test. */
export async function provided(options?: IdentityProviderOptions): Promise<IdentityProvider> {
  const provider = await startIdentityProvider(options)
  onTestFinished(() => provider.close())
  return provider
}

/** The two clients of `provider`, as a user would define them. */
export function definitionsFor(provider: IdentityProvider) {
  const { tokenEndpoint } = provider
  const catalog = provider.client('catalog.client')
  const invoice = provider.client('invoice.client')
  return {
    'catalog.client': {
      tokenEndpoint,
      clientId: catalog.clientId,
      clientSecret: catalog.clientSecret,
      scope: 'catalog inventory',
    },
    'invoice.client': {
      issuer: provider.issuer,
      clientId: invoice.clientId,
      clientSecret: invoice.clientSecret,
      scope: 'invoice',
    },
  }
}

/** A manager over the real server, which ends with the test. */
export function managerFor(provider: IdentityProvider, options: Omit<TokenManagerOptions, 'clients'> = {}) {
  const tokens = createTokenManager({ clients: definitionsFor(provider), ...options })
  onTestFinished(() => tokens.close())
  return tokens
}
