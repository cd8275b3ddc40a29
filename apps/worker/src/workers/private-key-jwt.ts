import { createFetch } from '@tokenward/fetch'
import { everySecond, type Worker } from './worker'

/** Its client authenticates with a private key instead of a secret. See `key.client` in tokens.ts. */
export const privateKeyJwt: Worker = (context) => {
  const { tokens, environment, stop } = context
  const catalog = createFetch(tokens, 'key.client', { baseURL: environment.catalogUrl })

  return everySecond(context, async () => {
    const response = await catalog('list', { signal: stop })
    await response.body?.cancel()
    return `the catalog responded ${response.status} to a client without a secret`
  })
}
