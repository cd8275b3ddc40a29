import { OAuth2Client, OAuth2Fetch } from '@badgateway/oauth2-client'
import { fetchWithHeader, read } from './http-clients'
import { type Library, renewsAhead } from './library'

export const badgateway: Library = {
  id: '@badgateway/oauth2-client',
  packageName: '@badgateway/oauth2-client',
  httpClient: 'fetch',
  use: '`OAuth2Fetch` with `getNewToken: () => client.clientCredentials(…)`',
  cannot: {
    fleet: 'it shares a token by `getStoredToken` at its start only, and the caller would have to write the store',
    dpop: 'it has no DPoP',
  },
  lifetimeFor: renewsAhead(0),
  open({ issuer, clientId, clientSecret, baseURL }) {
    const client = new OAuth2Client({ server: issuer, tokenEndpoint: '/token', clientId, clientSecret })
    const wrapper = new OAuth2Fetch({
      client,
      getNewToken: () => client.clientCredentials({ scope: ['catalog'] }),
    })
    const url = `${baseURL}test`
    return {
      getToken: () => wrapper.getAccessToken(),
      request: async () => read(await wrapper.fetch(url)),
      requestWithHeader: fetchWithHeader(url),
    }
  },
}
