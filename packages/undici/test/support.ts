import { type ClientDefinition, createTokenManager, type TokenManager } from '@tokenward/core'
import { startIdentityProvider } from '@tokenward/identity-provider'
import { type TokenInterceptorOptions, tokenInterceptor } from '@tokenward/undici'
import * as undici8 from 'undici'
import * as undici7 from 'undici-7'
import { onTestFinished } from 'vitest'

export type Undici = typeof undici8

/** Version 7 has types of its own for the same things. */
export const VERSIONS: [version: string, undici: Undici][] = [
  ['7', undici7 as unknown as Undici],
  ['8', undici8],
]

/** A real server, a manager over it, and a dispatcher for the catalog; all end with the test. */
export async function catalogSetup(undici: Undici, change: Partial<ClientDefinition> = {}) {
  const provider = await startIdentityProvider({
    clients: { 'dpop.client': { metadata: { dpop_bound_access_tokens: true } } },
  })
  const { clientId, clientSecret } = provider.client(change.dpop ? 'dpop.client' : 'catalog.client')
  const { tokenEndpoint, catalog: api } = provider
  const tokens = createTokenManager({
    clients: { c: { tokenEndpoint, clientId, clientSecret, scope: 'catalog', ...change } },
  })
  const dispatcher = authorizedAgent(undici, tokens, { baseURL: api.baseURL })
  onTestFinished(async () => {
    await tokens.close()
    await provider.close()
  })
  const call = (path: string, init: object = {}) => undici.request(`${api.baseURL}${path}`, { dispatcher, ...init })
  return { provider, tokens, api, dispatcher, call }
}

/** An agent with the tokens of `c`, and with more interceptors above; it ends with the test. */
export function authorizedAgent(
  undici: Undici,
  tokens: TokenManager<'c'>,
  options: TokenInterceptorOptions,
  ...interceptors: undici8.Dispatcher.DispatcherComposeInterceptor[]
) {
  const dispatcher = new undici.Agent().compose(tokenInterceptor(tokens, 'c', options), ...interceptors)
  onTestFinished(() => dispatcher.destroy())
  return dispatcher
}
