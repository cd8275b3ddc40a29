import { type Clock, createTokenManager } from '@tokenward/core'
import { createFetch } from '@tokenward/fetch'
import type { Item, Settings } from './settings'

export interface HandlerResponse {
  readonly statusCode: number
  readonly body: string
}

/**
 * A handler as AWS Lambda calls it. The token manager is made once for each instance, outside of the handler: further calls of the instance
 * use its token. Between two calls the platform stops the process, and its clocks with it. So nothing may depend on a timer, and
 * a token is judged by the time at which it is used.
 */
export function createHandler({ issuer, clientId, clientSecret, api }: Settings, clock?: Clock) {
  const tokens = createTokenManager({
    clients: { 'catalog.client': { issuer, clientId, clientSecret, scope: 'catalog' } },
    clock,
  })
  const catalog = createFetch(tokens, 'catalog.client', { baseURL: api })

  return async (): Promise<HandlerResponse> => {
    const response = await catalog('list')
    if (!response.ok) return { statusCode: 502, body: `the catalog responded with ${response.status}` }
    const items = (await response.json()) as Item[]
    return { statusCode: 200, body: JSON.stringify(items.length) }
  }
}
