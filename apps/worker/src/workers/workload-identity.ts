import { createFetch } from '@tokenward/fetch'
import { everySecond, type Worker } from './worker'

/** Its client authenticates with a token that the platform writes to a file. See `workload.client` in tokens.ts. */
export const workloadIdentity: Worker = (context) => {
  const { tokens, environment, stop } = context
  const catalog = createFetch(tokens, 'workload.client', { baseURL: environment.catalogUrl })

  return everySecond(context, async () => {
    const response = await catalog('list', { signal: stop })
    await response.body?.cancel()
    return `the catalog responded ${response.status} to a client that its platform identifies`
  })
}
