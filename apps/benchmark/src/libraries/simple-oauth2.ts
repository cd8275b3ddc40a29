import { type AccessToken, ClientCredentials } from 'simple-oauth2'
import { byFetch } from './http-clients'
import { type Library, renewsAhead } from './library'

const NO_RESPONSES = 'it has no HTTP client, so it never sees a response of an API'
/** The window of the example in its README, in seconds. */
const EXPIRATION_WINDOW_SECONDS = 300

export const simpleOauth2: Library = {
  id: 'simple-oauth2',
  packageName: 'simple-oauth2',
  httpClient: 'fetch',
  use: '`ClientCredentials`: the caller keeps the `AccessToken`, asks `expired(300)` before each call, and then calls `getToken` again',
  cannot: {
    revoked: NO_RESPONSES,
    rejecting: NO_RESPONSES,
    fleet: 'it keeps tokens nowhere; the caller would have to store them',
    dpop: 'it has no DPoP',
  },
  lifetimeFor: renewsAhead(EXPIRATION_WINDOW_SECONDS),
  open(options) {
    const { issuer, clientId, clientSecret } = options
    const client = new ClientCredentials({
      client: { id: clientId, secret: clientSecret },
      auth: { tokenHost: issuer, tokenPath: '/token' },
    })
    let accessToken: AccessToken | undefined
    const getToken = async () => {
      if (!accessToken || accessToken.expired(EXPIRATION_WINDOW_SECONDS))
        accessToken = await client.getToken({ scope: 'catalog' })
      return accessToken.token.access_token as string
    }
    return { getToken, ...byFetch(options, async () => `Bearer ${await getToken()}`) }
  },
}
