import { startIdentityProvider, type TestClient } from '@tokenward/identity-provider'
import { type BenchServer, credentials } from './bench-server'
import { startLightApi } from './light-api'

/** Clients that can only send their credentials in the form. */
const POST_CLIENTS = /^(@azure\/msal-node|@scienta\/axios-oauth2|undici-oidc-interceptor)/
/** The catalog's records of requests would fill the memory. */
const FORGET_EVERY_MS = 1_000

/** Starts the servers in this process. @param clientIds the clients to register */
export async function startLocalBenchServer(clientIds: readonly string[]): Promise<BenchServer> {
  const clients: Record<string, TestClient> = {}
  for (const clientId of clientIds) {
    const method = POST_CLIENTS.test(clientId) ? 'client_secret_post' : 'client_secret_basic'
    clients[clientId] = { ...credentials(clientId), metadata: { token_endpoint_auth_method: method } }
  }
  const provider = await startIdentityProvider({ clients })
  const { catalog, tokenEndpointFaults } = provider
  const light = await startLightApi(async (authorization) => {
    const response = await fetch(`${catalog.baseURL}test`, { headers: { authorization } })
    await response.text()
    return response.ok
  })
  const timer = setInterval(() => {
    catalog.requests.length = 0
  }, FORGET_EVERY_MS)
  return {
    address: { issuer: provider.issuer, catalogURL: catalog.baseURL, lightURL: light.baseURL },
    credentials,
    async tokenRequests(clientId) {
      const { tokenRequests } = provider
      return tokenRequests.filter((each) => clientId === undefined || each.clientId === clientId).length
    },
    reset: async () => provider.reset(),
    setTokenLifetime: async (clientId, seconds) => provider.setTokenLifetime(seconds, clientId),
    async delayTokens(ms) {
      tokenEndpointFaults.delayMs = ms
    },
    failTokens: async (times, response) =>
      tokenEndpointFaults.fail(times === 'all' ? Number.POSITIVE_INFINITY : times, response),
    async revokeIssued() {
      provider.revokeIssued()
    },
    rejectEverything: async () =>
      catalog.faults.fail(Number.POSITIVE_INFINITY, { status: 401, body: { error: 'invalid_token' } }),
    async close() {
      clearInterval(timer)
      await Promise.all([provider.close(), light.close()])
    },
  }
}
