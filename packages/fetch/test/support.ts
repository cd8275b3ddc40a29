import { createTokenManager, type TokenManagerOptions } from '@tokenward/core'
import { createFetch } from '@tokenward/fetch'
import {
  type IdentityProvider,
  type IdentityProviderOptions,
  startIdentityProvider,
} from '@tokenward/identity-provider'
import { onTestFinished } from 'vitest'

/** A real server, a manager over it, and a fetch for the catalog; all end with the test. */
export async function catalogSetup(
  options: IdentityProviderOptions & { manager?: Omit<TokenManagerOptions, 'clients'> } = {},
) {
  const { manager, ...providerOptions } = options
  const provider: IdentityProvider = await startIdentityProvider(providerOptions)
  const { clientId, clientSecret } = provider.client('catalog.client')
  const tokens = createTokenManager({
    clients: {
      'catalog.client': { tokenEndpoint: provider.tokenEndpoint, clientId, clientSecret, scope: 'catalog inventory' },
    },
    ...manager,
  })
  onTestFinished(async () => {
    await tokens.close()
    await provider.close()
  })
  const { catalog } = provider
  return {
    provider,
    tokens,
    api: catalog,
    catalog: createFetch(tokens, 'catalog.client', { baseURL: catalog.baseURL }),
  }
}
