import { readFile } from 'node:fs/promises'
import { createTokenManager } from '@tokenward/core'
import { createFetch } from '@tokenward/fetch'
import { everySecond, type Worker } from './worker'

/** Authenticates with what its platform vouches for: a token in a file, as Kubernetes projects and replaces it. */
export const workloadIdentity: Worker = (context) => {
  const { environment, stop, store, watch } = context
  const { clientId, tokenFile } = environment.workload
  const tokens = watch(
    createTokenManager({
      store,
      clients: {
        'workload.client': {
          issuer: environment.issuer,
          clientId,
          clientAssertion: async () => (await readFile(tokenFile, 'utf8')).trim(), // read for every token request
          scope: 'catalog',
        },
      },
    }),
  )
  const catalog = createFetch(tokens, 'workload.client', { baseURL: environment.catalog.url })

  return everySecond(context, async () => {
    const response = await catalog('list', { signal: stop })
    await response.body?.cancel()
    return `the catalog answered ${response.status} to a client that its platform vouches for`
  }).finally(() => tokens.close())
}
