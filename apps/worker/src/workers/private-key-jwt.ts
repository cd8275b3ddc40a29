import { createTokenManager, PrivateKeyJwt } from '@tokenward/core'
import { createFetch } from '@tokenward/fetch'
import { everySecond, type Worker } from './worker'

/** Authenticates with a private key in place of a secret: the authorization server knows the public one only. */
export const privateKeyJwt: Worker = (context) => {
  const { environment, stop, store, watch } = context
  const { clientId, privateKey } = environment.keyClient
  const tokens = watch(
    createTokenManager({
      store,
      clients: {
        'key.client': {
          issuer: environment.issuer,
          clientId,
          clientAuth: PrivateKeyJwt(privateKey),
          scope: 'catalog',
        },
      },
    }),
  )
  const catalog = createFetch(tokens, 'key.client', { baseURL: environment.catalog.url })

  return everySecond(context, async () => {
    const response = await catalog('list', { signal: stop })
    await response.body?.cancel()
    return `the catalog answered ${response.status} to a client that has no secret`
  }).finally(() => tokens.close())
}
