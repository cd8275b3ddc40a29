import { clientFactory, interceptorFactory, LockingTokenCache } from '@scienta/axios-oauth2'
import { IoRedisStorage, LockingCache, RedisLocker } from '@scienta/locking-cache'
import axios, { type InternalAxiosRequestConfig } from 'axios'
import { Redis } from 'ioredis'
import Redlock from 'redlock'
import { everyStatus, getByAxios } from './http-clients'
import { type Library, renewsAhead } from './library'

const NO_RESPONSES = 'it only changes requests, so it never sees a response'

/** The instances of this axios have what the older axios of its types has. */
type ItsAxios = Parameters<typeof clientFactory>[0]
type RequestInterceptor = (config: InternalAxiosRequestConfig) => Promise<InternalAxiosRequestConfig>
type ItsRedis = ConstructorParameters<typeof IoRedisStorage>[0]
type ItsLock = ConstructorParameters<typeof RedisLocker>[0]

export const scienta: Library = {
  id: '@scienta/axios-oauth2',
  packageName: '@scienta/axios-oauth2',
  httpClient: 'axios',
  use: '`interceptorFactory` with `LockingTokenCache`; in a fleet with the Redis storage and Redlock of its locking-cache',
  cannot: { revoked: NO_RESPONSES, rejecting: NO_RESPONSES, dpop: 'it has no DPoP' },
  lifetimeFor: renewsAhead(0),
  open({ issuer, clientId, clientSecret, baseURL, redisUrl }) {
    // Its cache fails with the string that its README passes as scope, and its client sends a list as `scope[0]`.
    const tokenAxios = axios.create({ transformRequest: (form: string) => `${form}&scope=catalog` })
    const client = clientFactory(tokenAxios as unknown as ItsAxios, {
      url: `${issuer}/token`,
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
    })
    const redis = redisUrl === undefined ? undefined : new Redis(redisUrl)
    const cache = new LockingTokenCache(redis && sharedCache(redis))
    const options = { baseURL, adapter: 'http', validateStatus: everyStatus } as const
    const instance = axios.create(options)
    const interceptor = interceptorFactory(client, cache) as unknown as RequestInterceptor
    instance.interceptors.request.use(interceptor)
    return {
      getToken: () => cache.getToken(client),
      request: () => getByAxios(instance),
      requestWithHeader: (authorization) => {
        const plain = axios.create({ ...options, headers: { authorization } })
        return () => getByAxios(plain)
      },
      close: () => redis?.disconnect(),
    }
  },
}

function sharedCache(redis: Redis): LockingCache<string> {
  const storage = new IoRedisStorage<string>(redis as unknown as ItsRedis, { namespace: 'cache' })
  return new LockingCache<string>(storage, new RedisLocker(new Redlock([redis]) as unknown as ItsLock, 'lock'))
}
