import { ConfidentialClientApplication, DistributedCachePlugin, type INetworkModule } from '@azure/msal-node'
import { Redis } from 'ioredis'
import { byFetch } from './http-clients'
import { type Library, renewsAhead } from './library'

const NO_RESPONSES = 'it has no HTTP client for APIs, so it never sees a response of one'

export const msalNode: Library = {
  id: '@azure/msal-node',
  packageName: '@azure/msal-node',
  httpClient: 'fetch',
  use: '`acquireTokenByClientCredential` of a `ConfidentialClientApplication` for each call; in a fleet with `DistributedCachePlugin`',
  cannot: { revoked: NO_RESPONSES, rejecting: NO_RESPONSES, dpop: 'it has no DPoP' },
  lifetimeFor: renewsAhead(300),
  open(options) {
    const { issuer, clientId, clientSecret, redisUrl } = options
    // It refuses an authority of plain http. The network client changes the scheme back.
    const authority = issuer.replace(/^http:/, 'https:')
    const redis = redisUrl === undefined ? undefined : new Redis(redisUrl)
    const partition = async () => clientId
    const application = new ConfidentialClientApplication({
      auth: {
        clientId,
        clientSecret,
        authority,
        knownAuthorities: [new URL(authority).host],
        authorityMetadata: JSON.stringify({
          issuer: authority,
          authorization_endpoint: `${authority}/auth`,
          token_endpoint: `${authority}/token`,
          jwks_uri: `${authority}/jwks`,
        }),
      },
      system: { networkClient },
      ...(redis && {
        cache: {
          cachePlugin: new DistributedCachePlugin(
            { get: async (key) => (await redis.get(key)) ?? '', set: (key, value) => redis.set(key, value) },
            { getKey: partition, extractKey: partition },
          ),
        },
      }),
    })
    const getToken = async () => {
      const result = await application.acquireTokenByClientCredential({ scopes: ['catalog'] })
      return result?.accessToken
    }
    return {
      getToken,
      ...byFetch(options, async () => `Bearer ${await getToken()}`),
      close: () => redis?.disconnect(),
    }
  },
}

const networkClient: INetworkModule = {
  sendGetRequestAsync: (url, options) => send(url, options),
  sendPostRequestAsync: (url, options) => send(url, { method: 'POST', ...options }),
}

async function send<T>(url: string, options?: RequestInit) {
  const response = await fetch(url.replace(/^https:/, 'http:'), options)
  const headers = Object.fromEntries(response.headers)
  return { headers, body: (await response.json()) as T, status: response.status }
}
