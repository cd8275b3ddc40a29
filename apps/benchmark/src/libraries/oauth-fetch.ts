import { AbstractTokenProvider, ApiResponseError, OAuthFetch, type TokenProviderGetTokenResponse } from 'oauth-fetch'
import { fetchWithHeader } from './http-clients'
import { type Library, renewsAhead } from './library'
import { requestToken } from './request-token'

const NO_CACHE = 'it keeps no token: its user writes the token provider, with a cache and renewals of its own'

export const oauthFetch: Library = {
  id: 'oauth-fetch',
  packageName: 'oauth-fetch',
  httpClient: 'fetch',
  use: '`OAuthFetch` with a token provider that returns one token for ever, because it keeps none itself; `DPoPUtils` for proofs',
  cannot: {
    cached: NO_CACHE,
    cold: NO_CACHE,
    expiry: NO_CACHE,
    revoked: NO_CACHE,
    rejecting: NO_CACHE,
    faults: NO_CACHE,
    fleet: NO_CACHE,
    memory: NO_CACHE,
  },
  lifetimeFor: renewsAhead(0),
  async open(options) {
    const { access_token } = await requestToken(options)
    const client = new OAuthFetch({ baseUrl: options.baseURL, tokenProvider: new FixedToken(access_token) })
    return {
      async request() {
        try {
          await client.get('test')
          return 200
        } catch (error) {
          if (error instanceof ApiResponseError) return error.status
          throw error
        }
      },
      requestWithHeader: fetchWithHeader(`${options.baseURL}test`),
    }
  },
}

/** A token provider as its README shows them. */
class FixedToken extends AbstractTokenProvider {
  readonly #response: TokenProviderGetTokenResponse

  constructor(access_token: string) {
    super()
    this.#response = { access_token, token_type: 'Bearer' }
  }

  override async getToken(): Promise<TokenProviderGetTokenResponse> {
    return this.#response
  }
}
