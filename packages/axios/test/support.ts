import { type AxiosOptions, createAxios } from '@tokenward/axios'
import { createTokenManager, type TokenManagerOptions } from '@tokenward/core'
import {
  type IdentityProvider,
  type IdentityProviderOptions,
  startIdentityProvider,
} from '@tokenward/identity-provider'
import { onTestFinished } from 'vitest'

/** The adapters of axios that there are outside a browser. */
export const ADAPTERS = ['http', 'fetch'] as const

/** A real server, a manager over it, and an axios for the catalog; all end with the test. */
export async function catalogSetup(
  options: Omit<AxiosOptions, 'baseURL'> & {
    provider?: IdentityProviderOptions
    manager?: Omit<TokenManagerOptions, 'clients'>
  } = {},
) {
  const { manager, provider: providerOptions, ...axiosOptions } = options
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
    catalog: createAxios(tokens, 'catalog.client', { ...axiosOptions, baseURL: catalog.baseURL }),
  }
}

/** As {@link catalogSetup}, for a client whose tokens are bound to a key. */
export async function dpopSetup(options: Omit<AxiosOptions, 'baseURL'> = {}) {
  const provider = await startIdentityProvider({
    clients: { 'dpop.client': { metadata: { dpop_bound_access_tokens: true } } },
  })
  const { clientId, clientSecret } = provider.client('dpop.client')
  const { tokenEndpoint, catalog: api } = provider
  const tokens = createTokenManager({
    clients: { c: { tokenEndpoint, clientId, clientSecret, scope: 'catalog', dpop: true } },
  })
  onTestFinished(async () => {
    await tokens.close()
    await provider.close()
  })
  return { provider, api, catalog: createAxios(tokens, 'c', { ...options, baseURL: api.baseURL }) }
}

/** Where a token is in `root`: a path for every one that own properties lead to, whatever their kind. */
export function tokensIn(root: unknown): string[] {
  const found: string[] = []
  const seen = new Set<unknown>()
  const queue: [value: unknown, path: string][] = [[root, '$']]
  for (const [value, path] of queue) {
    if (seen.has(value)) continue
    if (typeof value === 'string' && /eyJ[\w-]+\.eyJ/.test(value)) found.push(path)
    if (Buffer.isBuffer(value)) queue.push([value.toString('latin1'), path])
    else if ((typeof value === 'object' && value !== null) || typeof value === 'function') {
      seen.add(value)
      if (value instanceof Map || value instanceof Headers) queue.push([[...value], path])
      if (value instanceof Request || value instanceof Response) queue.push([value.headers, `${path}.headers`])
      for (const key of Reflect.ownKeys(value)) {
        queue.push([Object.getOwnPropertyDescriptor(value, key)?.value, `${path}.${String(key)}`])
      }
    }
  }
  return found
}
