import type { TokenManager, TokenManagerOptions } from '@tokenward/core'
import type { IdentityProviderOptions } from '@tokenward/identity-provider'
import { catalogTokens, dpopTokens } from '@tokenward/test-support'
import { type TokenInterceptorOptions, tokenInterceptor } from '@tokenward/undici'
import * as undici8 from 'undici'
import * as undici7 from 'undici-7'
import { onTestFinished } from 'vitest'

type Undici = typeof undici8

/** Every major version that the package supports. Version 7 has type declarations of its own for the same things. */
export const VERSIONS: readonly [version: string, undici: Undici][] = [
  ['7', undici7 as unknown as Undici],
  ['8', undici8],
]

/** A dispatcher that attaches the tokens of `client`. It is destroyed when the test ends. */
function authorizedAgent<Names extends string>(
  undici: Undici,
  tokens: TokenManager<Names>,
  client: NoInfer<Names>,
  options: TokenInterceptorOptions,
) {
  const dispatcher = new undici.Agent().compose(tokenInterceptor(tokens, client, options))
  onTestFinished(() => dispatcher.destroy())
  return dispatcher
}

/** An identity provider, a manager, and a function that calls the catalog API. Everything ends with the test. */
export async function catalogSetup(
  undici: Undici,
  options: Omit<TokenInterceptorOptions, 'baseURL'> & {
    provider?: IdentityProviderOptions
    manager?: Omit<TokenManagerOptions, 'clients'>
  } = {},
) {
  const { manager, provider, ...interceptorOptions } = options
  const setup = await catalogTokens(provider, manager)
  const { baseURL } = setup.api
  const dispatcher = authorizedAgent(undici, setup.tokens, 'catalog.client', { ...interceptorOptions, baseURL })
  return { ...setup, dispatcher, call: caller(undici, baseURL, dispatcher) }
}

/** The same as {@link catalogSetup}, for a client with DPoP tokens. */
export async function dpopSetup(undici: Undici) {
  const { provider, api, start } = await dpopTokens()
  const dispatcher = authorizedAgent(undici, start(), 'c', { baseURL: api.baseURL })
  return { provider, api, dispatcher, call: caller(undici, api.baseURL, dispatcher) }
}

function caller(undici: Undici, baseURL: string, dispatcher: undici8.Dispatcher) {
  return (path: string, init: object = {}) => undici.request(`${baseURL}${path}`, { dispatcher, ...init })
}
