import { createFetch } from '@tokenward/fetch'
import { everySecond, type Worker } from './worker'

/** Calls an API with an HTTP client that attaches the tokens. The worker itself has no token code. */
export const httpClient: Worker = (context) => {
  const { tokens, environment, stop } = context
  const catalog = createFetch(tokens, 'catalog.client', { baseURL: environment.catalogUrl })

  return everySecond(context, async () => {
    const response = await catalog('list', { signal: stop })
    if (!response.ok) {
      await response.body?.cancel()
      throw new Error(`the catalog responded ${response.status}`)
    }
    const items = (await response.json()) as unknown[]
    return `${items.length} items from the catalog`
  })
}
