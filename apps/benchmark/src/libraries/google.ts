import { OAuth2Client } from 'google-auth-library'
import { everyStatus } from './http-clients'
import { type Library, renewsAhead } from './library'
import { requestToken } from './request-token'

export const google: Library = {
  id: 'google-auth-library',
  packageName: 'google-auth-library',
  httpClient: 'gaxios',
  use: '`OAuth2Client` with a `refreshHandler` that requests the token, and `forceRefreshOnFailure`',
  cannot: { fleet: 'it keeps tokens in its process only', dpop: 'it has no DPoP' },
  lifetimeFor: renewsAhead(300),
  open(options) {
    const client = new OAuth2Client({ forceRefreshOnFailure: true })
    client.refreshHandler = async () => {
      const { access_token, expires_in } = await requestToken(options)
      return { access_token, expiry_date: Date.now() + expires_in * 1_000 }
    }
    const url = `${options.baseURL}test`
    return {
      getToken: () => client.getAccessToken(),
      async request() {
        try {
          return (await client.request({ url })).status
        } catch (error) {
          // It throws for a 401, and that is how it notices one.
          const status = (error as { response?: { status: number } }).response?.status
          if (status === undefined) throw error
          return status
        }
      },
      requestWithHeader: (authorization) => async () => {
        const { status } = await client.transporter.request({
          url,
          headers: { authorization },
          validateStatus: everyStatus,
        })
        return status
      },
    }
  },
}
