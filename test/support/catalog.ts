import { type ClientDefinition, createTokenManager, type TokenManagerOptions } from '@tokenward/core'
import { type IdentityProviderOptions, startIdentityProvider } from '@tokenward/identity-provider'
import { onTestFinished } from 'vitest'

/** A real server and a manager over it, for the catalog; both end with the test. */
export async function catalogTokens(
  providerOptions?: IdentityProviderOptions,
  manager?: Omit<TokenManagerOptions, 'clients'>,
) {
  const provider = await startIdentityProvider(providerOptions)
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
  return { provider, tokens, api: provider.catalog }
}

/** A real server that binds tokens to keys, and what makes managers over it, a process each; all end with the test. */
export async function dpopTokens() {
  const provider = await startIdentityProvider({
    clients: { 'dpop.client': { metadata: { dpop_bound_access_tokens: true } } },
  })
  onTestFinished(() => provider.close())
  const { clientId, clientSecret } = provider.client('dpop.client')
  const { tokenEndpoint, catalog: api } = provider
  const start = (dpop: ClientDefinition['dpop'] = true) => {
    const tokens = createTokenManager({
      clients: { c: { tokenEndpoint, clientId, clientSecret, scope: 'catalog', dpop } },
    })
    onTestFinished(() => tokens.close())
    return tokens
  }
  return { provider, api, start }
}
