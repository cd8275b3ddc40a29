import { createTokenManager, type TokenManagerOptions } from '@tokenward/core'
import {
  type IdentityProvider,
  type IdentityProviderOptions,
  startIdentityProvider,
} from '@tokenward/identity-provider'
import { createOfetch, type OfetchOptions } from '@tokenward/ofetch'
import { onTestFinished } from 'vitest'

/** A real server, a manager over it, and an ofetch for the catalog; all end with the test. */
export async function catalogSetup(
  options: Omit<OfetchOptions, 'baseURL'> & {
    provider?: IdentityProviderOptions
    manager?: Omit<TokenManagerOptions, 'clients'>
  } = {},
) {
  const { manager, provider: providerOptions, ...ofetchOptions } = options
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
    catalog: createOfetch(tokens, 'catalog.client', { ...ofetchOptions, baseURL: catalog.baseURL }),
  }
}
