import type { IdentityProvider } from '@tokenward/identity-provider'

/** The scope that the MCP servers demand. */
export const SCOPE = 'mcp:tools'

/** What a token says, in the words of the SDK. */
export interface VerifiedToken {
  readonly token: string
  readonly clientId: string
  readonly scopes: string[]
  readonly expiresAt: number
  readonly resource: URL
}

function authorizationOf(provider: IdentityProvider, client: string): string {
  const { clientId, clientSecret } = provider.client(client)
  return `Basic ${btoa(`${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`)}`
}

function post(provider: IdentityProvider, endpoint: string, client: string, token: string): Promise<Response> {
  const headers = { authorization: authorizationOf(provider, client) }
  return fetch(endpoint, { method: 'POST', headers, body: new URLSearchParams({ token }) })
}

/** Asks the authorization server about a token, as the MCP server (RFC 7662). Undefined: the token is not valid. */
export async function introspect(provider: IdentityProvider, token: string): Promise<VerifiedToken | undefined> {
  const response = await post(provider, provider.introspectionEndpoint, 'mcp.server', token)
  const { active, client_id, scope, exp, aud } = (await response.json()) as Record<string, string | number | boolean>
  if (active !== true) return undefined
  return {
    token,
    clientId: String(client_id),
    scopes: String(scope).split(' '),
    expiresAt: Number(exp),
    resource: new URL(String(aud)),
  }
}

/** Revokes a token at the authorization server, as its client (RFC 7009). */
export async function revoke(provider: IdentityProvider, token: string): Promise<void> {
  const response = await post(provider, `${provider.issuer}/token/revocation`, 'mcp.client', token)
  if (!response.ok) throw new Error(`the revocation failed with ${response.status}`)
}
