import type { OpenOptions } from './library'

/** What a token endpoint responds. */
export interface TokenResponse {
  readonly access_token: string
  readonly token_type: string
  readonly expires_in: number
}

/**
 * The client credentials grant by the platform's fetch, for libraries that leave the token request to their user.
 *
 * @throws Error when the response is no token
 */
export async function requestToken({ issuer, clientId, clientSecret }: OpenOptions): Promise<TokenResponse> {
  const response = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${clientId}:${clientSecret}`)}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'catalog' }),
  })
  if (!response.ok) throw new Error(`the token endpoint responded with ${response.status}`)
  return (await response.json()) as TokenResponse
}
