import { type Clock, createTokenManager } from '@tokenward/core'
import { type AuthorizedFetch, createFetch } from '@tokenward/fetch'
import { type FastifyInstance, fastify } from 'fastify'
import type { Item, Settings } from './settings'

declare module 'fastify' {
  interface FastifyInstance {
    /** Sends requests to the catalog, with tokens. */
    catalog: AuthorizedFetch
  }
}

/** A Fastify service that calls another API for each of its own requests. */
export async function createFastifyService(
  { issuer, clientId, clientSecret, api }: Settings,
  clock?: Clock,
): Promise<FastifyInstance> {
  const app = fastify()
  const tokens = createTokenManager({
    clients: { 'catalog.client': { issuer, clientId, clientSecret, scope: 'catalog' } },
    logger: app.log,
    clock,
  })
  app.decorate('catalog', createFetch(tokens, 'catalog.client', { baseURL: api }))
  app.addHook('onReady', () => tokens.warmUp())
  app.addHook('onClose', () => tokens.close())

  app.get('/names', async (request) => {
    // A caller that goes away ends the call of the catalog too.
    const response = await app.catalog('list', { signal: request.signal })
    if (!response.ok) throw new Error(`the catalog responded with ${response.status}`)
    const items = (await response.json()) as Item[]
    return items.map(({ name }) => name)
  })
  return app
}
