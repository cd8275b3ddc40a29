import { createTokenManager, type TokenManagerOptions } from '@tokenward/core'
import type { IdentityProvider, IdentityProviderOptions } from '@tokenward/identity-provider'
import { startProvider } from '@tokenward/test-support'
import { onTestFinished } from 'vitest'
import { type KafkaBroker, startKafkaBroker } from './kafka-broker'

const RESOURCE = 'urn:kafka'
const SCOPE = 'kafka.produce'

/** An authorization server, and a broker that asks it about each token (RFC 7662). They end with the test. */
export async function startKafka(
  options: IdentityProviderOptions = {},
): Promise<{ provider: IdentityProvider; broker: KafkaBroker }> {
  const provider = await startProvider({
    ...options,
    clients: { 'kafka.client': { scope: SCOPE }, 'kafka.server': {} },
  })
  provider.addResource(RESOURCE, SCOPE)
  const broker = await startKafkaBroker(async (token) => {
    const body = new URLSearchParams({ token })
    const response = await post(provider, 'kafka.server', provider.introspectionEndpoint, body)
    const { active, exp } = await response.json()
    return active ? exp * 1_000 : undefined
  })
  return { provider, broker }
}

/** A token manager, as one process of a fleet has it. It ends with the test. */
export function kafkaTokens(provider: IdentityProvider, options: Omit<TokenManagerOptions, 'clients'> = {}) {
  const { clientId, clientSecret } = provider.client('kafka.client')
  const definition = { issuer: provider.issuer, clientId, clientSecret, scope: SCOPE, resource: RESOURCE }
  const tokens = createTokenManager({ ...options, clients: { 'kafka.client': definition } })
  onTestFinished(() => tokens.close())
  return tokens
}

/** Revokes a token at the authorization server (RFC 7009). */
export async function revoke(provider: IdentityProvider, token: string): Promise<void> {
  const url = `${provider.issuer}/token/revocation`
  const response = await post(provider, 'kafka.client', url, new URLSearchParams({ token }))
  if (!response.ok) throw new Error(`the revocation request failed: ${response.status}`)
}

function post(provider: IdentityProvider, clientName: string, url: string, body: URLSearchParams): Promise<Response> {
  const { clientId, clientSecret } = provider.client(clientName)
  const authorization = `Basic ${btoa([clientId, clientSecret].map(encodeURIComponent).join(':'))}`
  return fetch(url, { method: 'POST', headers: { authorization }, body })
}

/** Rejects with nothing, and resolves to what `promise` rejects with. */
export async function errorOf(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  const [result] = await Promise.allSettled([promise])
  if (result?.status !== 'rejected') throw new Error('it did not reject')
  return result.reason
}
