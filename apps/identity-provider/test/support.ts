import type { IdentityProvider } from '../src'

/** The `Authorization` header of a client, encoded as RFC 6749 §2.3.1 demands. */
export function basic(provider: IdentityProvider, name: string, secret = provider.client(name).clientSecret): string {
  const encode = (text: string) => new URLSearchParams({ '': text }).toString().slice(1)
  return `Basic ${btoa(`${encode(provider.client(name).clientId)}:${encode(secret)}`)}`
}

export async function requestToken(
  provider: IdentityProvider,
  name: string,
  form: Record<string, string> = {},
  authorization = basic(provider, name),
) {
  const { scope } = provider.client(name)
  const body = new URLSearchParams({ grant_type: 'client_credentials', scope, ...form })
  const response = await fetch(provider.tokenEndpoint, { method: 'POST', headers: { authorization }, body })
  return { status: response.status, ...((await response.json()) as { access_token: string; error?: string }) }
}

export function bearer(url: string, token: string, init: RequestInit = {}): Promise<Response> {
  return fetch(url, { redirect: 'manual', ...init, headers: { ...init.headers, authorization: `Bearer ${token}` } })
}
