import type { TokenManagerOptions } from '@tokenward/core'
import type { IdentityProviderOptions } from '@tokenward/identity-provider'
import { createOfetch, type OfetchOptions } from '@tokenward/ofetch'
import { catalogTokens } from '@tokenward/test-support'

/** An identity provider, a manager, and an ofetch for the catalog API. Everything ends with the test. */
export async function catalogSetup(
  options: Omit<OfetchOptions, 'baseURL'> & {
    provider?: IdentityProviderOptions
    manager?: Omit<TokenManagerOptions, 'clients'>
  } = {},
) {
  const { manager, provider, ...ofetchOptions } = options
  const setup = await catalogTokens(provider, manager)
  const { baseURL } = setup.api
  return { ...setup, catalog: createOfetch(setup.tokens, 'catalog.client', { ...ofetchOptions, baseURL }) }
}
