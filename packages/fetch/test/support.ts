import type { TokenManagerOptions } from '@tokenward/core'
import { createFetch } from '@tokenward/fetch'
import type { IdentityProviderOptions } from '@tokenward/identity-provider'
import { catalogTokens } from '@tokenward/test-support'

/** An identity provider, a manager, and a fetch for the catalog API. Everything ends with the test. */
export async function catalogSetup(
  options: IdentityProviderOptions & { manager?: Omit<TokenManagerOptions, 'clients'> } = {},
) {
  const { manager, ...providerOptions } = options
  const setup = await catalogTokens(providerOptions, manager)
  return { ...setup, catalog: createFetch(setup.tokens, 'catalog.client', { baseURL: setup.api.baseURL }) }
}
