import { Agent, request } from 'undici-7'
import { createOidcInterceptor } from 'undici-oidc-interceptor'
import type { Library } from './library'
import { renewsAhead } from './library'

export const undiciOidcInterceptor: Library = {
  id: 'undici-oidc-interceptor',
  packageName: 'undici-oidc-interceptor',
  httpClient: 'undici',
  use: '`createOidcInterceptor` on an `Agent` of undici 7, which it depends on, with `retryOnStatusCodes: [401]`',
  cannot: {
    cached: 'it only adds tokens to requests of undici',
    fleet: 'it keeps tokens in its process only',
    dpop: 'it has no DPoP',
    memory: 'it only adds tokens to requests of undici',
  },
  // From 30 s before expiry in the background.
  lifetimeFor: renewsAhead(30),
  open({ issuer, clientId, clientSecret, baseURL }) {
    const interceptor = createOidcInterceptor({
      clientId,
      clientSecret,
      idpTokenUrl: `${issuer}/token`,
      scope: 'catalog',
      retryOnStatusCodes: [401],
      urls: [new URL(baseURL).origin],
    })
    const url = `${baseURL}test`
    const get = async (options: Parameters<typeof request>[1]) => {
      const { statusCode, body } = await request(url, options)
      await body.json()
      return statusCode
    }
    const authorized = { dispatcher: new Agent().compose(interceptor) }
    return {
      request: () => get(authorized),
      requestWithHeader: (authorization) => {
        const plain = { dispatcher: new Agent(), headers: { authorization } }
        return () => get(plain)
      },
    }
  },
}
