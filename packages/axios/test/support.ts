import { type AxiosOptions, createAxios } from '@tokenward/axios'
import type { TokenManagerOptions } from '@tokenward/core'
import type { IdentityProviderOptions } from '@tokenward/identity-provider'
import { catalogTokens, dpopTokens } from '@tokenward/test-support'

/** The axios adapters that work outside a browser. */
export const ADAPTERS = ['http', 'fetch'] as const

/** An identity provider, a manager, and an axios instance for the catalog API. Everything ends with the test. */
export async function catalogSetup(
  options: Omit<AxiosOptions, 'baseURL'> & {
    provider?: IdentityProviderOptions
    manager?: Omit<TokenManagerOptions, 'clients'>
  } = {},
) {
  const { manager, provider, ...axiosOptions } = options
  const setup = await catalogTokens(provider, manager)
  const { baseURL } = setup.api
  return { ...setup, catalog: createAxios(setup.tokens, 'catalog.client', { ...axiosOptions, baseURL }) }
}

/** The same as {@link catalogSetup}, for a client with DPoP tokens. */
export async function dpopSetup(options: Omit<AxiosOptions, 'baseURL'> = {}) {
  const { provider, api, start } = await dpopTokens()
  return { provider, api, catalog: createAxios(start(), 'c', { ...options, baseURL: api.baseURL }) }
}

/**
 * The paths to all tokens in `root`. Follows every own property, also symbols and properties that are not enumerable.
 *
 * @param readsAccessors whether it also follows what a getter of `request` returns. Not, in order to see an object that nobody has
 * read yet
 */
export function tokensIn(root: unknown, readsAccessors = true): string[] {
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
        const property = Object.getOwnPropertyDescriptor(value, key)
        // Others belong to the platform, and some of them throw.
        const isRead = readsAccessors && key === 'request'
        queue.push([isRead ? Reflect.get(value, key) : property?.value, `${path}.${String(key)}`])
      }
    }
  }
  return found
}
