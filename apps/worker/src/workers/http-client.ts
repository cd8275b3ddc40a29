import { createFetch } from '@tokenward/fetch'
import { everySecond, type Worker } from './worker'

/** Calls an API over an HTTP client of its own: no line of it is about tokens. */
export const httpClient: Worker = (context) => {
  const { tokens, environment, stop } = context
  const catalog = createFetch(tokens, 'catalog.client', { baseURL: environment.catalog.url })

  return everySecond(context, async () => {
    const response = await catalog('list', { signal: stop })
    const items = (await response.json()) as unknown[]
    return `${items.length} items from the catalog, status ${response.status}`
  })
}
