import type { ClientDefinition, TokenManagerOptions } from '@tokenward/core'
import type { IdentityProviderOptions } from '@tokenward/identity-provider'
import { managerFor, singleClientManager, startProvider } from './provider'

/** An identity provider, a manager, and the API that `catalog.client` calls. Everything ends with the test. */
export async function catalogTokens(
  providerOptions?: IdentityProviderOptions,
  manager?: Omit<TokenManagerOptions, 'clients'>,
) {
  const provider = await startProvider(providerOptions)
  return { provider, tokens: managerFor(provider, manager), api: provider.catalog }
}

/**
 * An identity provider that issues DPoP tokens only, and its API. Each `start()` creates a manager of its own, as each
 * process of a fleet has one. Everything ends with the test.
 */
export async function dpopTokens() {
  const provider = await startProvider({
    clients: { 'dpop.client': { metadata: { dpop_bound_access_tokens: true } } },
  })
  const { clientId, clientSecret } = provider.client('dpop.client')
  const { tokenEndpoint, catalog: api } = provider
  const start = (dpop: ClientDefinition['dpop'] = true, manager: Omit<TokenManagerOptions, 'clients'> = {}) =>
    singleClientManager({ tokenEndpoint, clientId, clientSecret, scope: 'catalog', dpop }, manager)
  return { provider, api, start }
}
