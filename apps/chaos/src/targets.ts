import type { IdentityProvider } from '@tokenward/identity-provider'
import type { CallTarget } from '@tokenward/worker-fleet'
import { PERFORMANCE_OFFSET_MS } from './machine-clock'
import type { IssuedToken } from './observations'
import type { Secrets } from './wire'

/** Two clients, and two scopes of one of them. */
export function targetsOf(provider: IdentityProvider): CallTarget[] {
  const target = (name: string, client: string, scope: string, apiUrl: string): CallTarget => {
    const { clientId, clientSecret } = provider.client(client)
    return { name, client, clientId, clientSecret, scope, apiUrl }
  }
  return [
    target('catalog', 'catalog.client', 'catalog', provider.catalog.baseURL),
    target('catalog.read', 'catalog.client', 'catalog.read', provider.catalog.baseURL),
    target('invoice', 'invoice.client', 'invoice', provider.invoice.baseURL),
  ]
}

/**
 * What must not be in clear on the wire to Redis.
 *
 * @param tokensToo whether tokens must not be in clear either, because the store encrypts them
 */
export async function secretsOf(
  provider: IdentityProvider,
  targets: readonly CallTarget[],
  tokensToo: boolean,
): Promise<Secrets> {
  const secrets: Record<string, string> = {}
  for (const { name, clientId, clientSecret } of targets) {
    secrets[`the secret of ${name}`] = clientSecret
    secrets[`the encoded secret of ${name}`] = encodeURIComponent(clientSecret)
    secrets[`the credentials of ${name}`] = basic(clientId, clientSecret)
  }
  const [first] = targets
  if (!tokensToo || !first) return secrets
  const response = await fetch(provider.tokenEndpoint, {
    method: 'POST',
    headers: { authorization: `Basic ${basic(first.clientId, first.clientSecret)}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope: first.scope }),
  })
  const { access_token: token } = (await response.json()) as { access_token: string }
  provider.tokenRequests.length = 0
  // All tokens have the same header.
  return { ...secrets, 'a token': String(token.split('.')[0]) }
}

/** RFC 6749, section 2.3.1. */
function basic(clientId: string, clientSecret: string): string {
  const encoded = (text: string) => new URLSearchParams({ '': text }).toString().slice(1)
  return Buffer.from(`${encoded(clientId)}:${encoded(clientSecret)}`).toString('base64')
}

/** A token by its `jti`, as its issuer knows it. */
export function issuedToken(provider: IdentityProvider, tokenId: string): IssuedToken | undefined {
  const token = provider.issuedToken(tokenId)
  const shift = (at: number) => at + PERFORMANCE_OFFSET_MS
  return (
    token && {
      ...token,
      issuedAt: shift(token.issuedAt),
      expiresAt: shift(token.expiresAt),
      revokedAt: token.revokedAt === undefined ? undefined : shift(token.revokedAt),
    }
  )
}
