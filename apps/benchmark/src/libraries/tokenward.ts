import { createAxios } from '@tokenward/axios'
import { createTokenManager, type TokenManager } from '@tokenward/core'
import { createFetch } from '@tokenward/fetch'
import { createOfetch } from '@tokenward/ofetch'
import { redisStore } from '@tokenward/store-redis'
import { tokenInterceptor } from '@tokenward/undici'
import axios from 'axios'
import { Redis } from 'ioredis'
import { ofetch } from 'ofetch'
import { Agent, request } from 'undici'
import { everyStatus, fetchWithHeader, getByAxios, read } from './http-clients'
import type { Library, OpenLibrary, OpenOptions } from './library'

/** Requests by one HTTP client: with tokens of a manager, and with a fixed header. */
type Adapter = (tokens: TokenManager<'c'>, options: OpenOptions) => Pick<OpenLibrary, 'request' | 'requestWithHeader'>

const byFetch: Adapter = (tokens, { baseURL }) => {
  const authorized = createFetch(tokens, 'c', { baseURL })
  return {
    request: async () => read(await authorized('test')),
    requestWithHeader: fetchWithHeader(`${baseURL}test`),
  }
}

const byOfetch: Adapter = (tokens, { baseURL }) => {
  const authorized = createOfetch(tokens, 'c', { baseURL, ignoreResponseError: true })
  return {
    request: async () => (await authorized.raw('test')).status,
    requestWithHeader: (authorization) => {
      const plain = ofetch.create({ baseURL, headers: { authorization }, ignoreResponseError: true })
      return async () => (await plain.raw('test')).status
    },
  }
}

const byAxios: Adapter = (tokens, { baseURL }) => {
  const options = { baseURL, adapter: 'http', validateStatus: everyStatus } as const
  const authorized = createAxios(tokens, 'c', options)
  return {
    request: () => getByAxios(authorized),
    requestWithHeader: (authorization) => {
      const plain = axios.create({ ...options, headers: { authorization } })
      return () => getByAxios(plain)
    },
  }
}

const byUndici: Adapter = (tokens, { baseURL }) => {
  const url = `${baseURL}test`
  const get = async (dispatcher: Parameters<typeof request>[1]) => {
    const { statusCode, body } = await request(url, dispatcher)
    await body.json()
    return statusCode
  }
  const authorized = { dispatcher: new Agent().compose(tokenInterceptor(tokens, 'c', { baseURL })) }
  return {
    request: () => get(authorized),
    requestWithHeader: (authorization) => {
      const plain = { dispatcher: new Agent(), headers: { authorization } }
      return () => get(plain)
    },
  }
}

function tokenward(id: string, httpClient: string, use: string, adapter: Adapter): Library {
  return {
    id,
    packageName: `@tokenward/${httpClient}`,
    httpClient,
    use,
    // Renewed after about 80 % of the lifetime. `expires_in` is a whole number.
    lifetimeFor: (seconds) => Math.ceil(seconds / 0.8),
    open(options) {
      const { issuer, clientId, clientSecret, redisUrl } = options
      const redis = redisUrl === undefined ? undefined : new Redis(redisUrl)
      const tokens = createTokenManager({
        clients: { c: { tokenEndpoint: `${issuer}/token`, clientId, clientSecret, scope: 'catalog' } },
        ...(redis && { store: redisStore(redis) }),
      })
      return {
        getToken: () => tokens.getAccessToken('c'),
        ...adapter(tokens, options),
        async close() {
          await tokens.close()
          redis?.disconnect()
        },
      }
    },
  }
}

/** tokenward with one of its adapters each. The first one stands for the library where the adapter does not matter. */
export const tokenwardLibraries: readonly Library[] = [
  tokenward('tokenward', 'fetch', '`getAccessToken`, and `createFetch` for requests', byFetch),
  tokenward('tokenward (ofetch)', 'ofetch', '`createOfetch`', byOfetch),
  tokenward('tokenward (axios)', 'axios', '`createAxios`, with the http adapter of axios', byAxios),
  tokenward('tokenward (undici)', 'undici', '`tokenInterceptor` on an `Agent`', byUndici),
]
