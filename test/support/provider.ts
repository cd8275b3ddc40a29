import {
  type ClientDefinitionSource,
  createTokenManager,
  type TokenManager,
  type TokenManagerOptions,
} from '@tokenward/core'
import {
  type IdentityProvider,
  type IdentityProviderOptions,
  startIdentityProvider,
} from '@tokenward/identity-provider'
import { onTestFinished } from 'vitest'

/** Starts an identity provider. It is closed when the test ends. */
export async function startProvider(options?: IdentityProviderOptions): Promise<IdentityProvider> {
  const provider = await startIdentityProvider(options)
  onTestFinished(() => provider.close())
  return provider
}

/** The definitions of the two clients of `provider`, as a user would write them. */
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

/** A manager for the two clients of `provider`. It is closed when the test ends. */
export function managerFor(provider: IdentityProvider, options: Omit<TokenManagerOptions, 'clients'> = {}) {
  const tokens = createTokenManager({ clients: definitionsFor(provider), ...options })
  onTestFinished(() => tokens.close())
  return tokens
}

/** A manager for one client, which is named `c`. It is closed when the test ends. */
export function singleClientManager(
  definition: ClientDefinitionSource,
  options: Omit<TokenManagerOptions, 'clients'> = {},
): TokenManager<'c'> {
  const tokens = createTokenManager({ ...options, clients: { c: definition } })
  onTestFinished(() => tokens.close())
  return tokens
}
