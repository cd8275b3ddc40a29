import { createTokenManager } from '@tokenward/core'
import { createFetch } from '@tokenward/fetch'
import { everySecond, type Worker } from './worker'

/** Binds its tokens to a key of this process: a token that is stolen from a log or a proxy opens nothing. */
export const dpop: Worker = (context) => {
  const { environment, stop, store, watch } = context
  const { clientId, clientSecret } = environment.dpopClient
  const tokens = watch(
    createTokenManager({
      store,
      clients: {
        'dpop.client': { issuer: environment.issuer, clientId, clientSecret, scope: 'catalog', dpop: true },
      },
    }),
  )
  const catalog = createFetch(tokens, 'dpop.client', { baseURL: environment.catalog.url })

  return everySecond(
    context,
    async () => {
      const response = await catalog('list', { signal: stop })
      await response.body?.cancel()

      // What a thief could do with the token alone:
      const { value } = await tokens.getAccessToken('dpop.client')
      const url = new URL('list', environment.catalog.url)
      const stolen = await fetch(url, { headers: { authorization: `Bearer ${value}` }, signal: stop })
      await stolen.body?.cancel()
      return `the catalog answered ${response.status} to the token with its proof, ${stolen.status} to the token alone`
    },
    2,
  ).finally(() => tokens.close())
}
