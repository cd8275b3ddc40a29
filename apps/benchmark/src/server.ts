// The authorization server and the APIs, in a process of their own so that their work is not counted with the clients'.
import { startIdentityProvider } from '@tokenward/identity-provider'

const provider = await startIdentityProvider()
const { clientId, clientSecret } = provider.client('catalog.client')
process.send?.({
  tokenEndpoint: provider.tokenEndpoint,
  baseURL: provider.catalog.baseURL,
  clientId,
  clientSecret,
})
// What was recorded is of no use here, and would grow.
setInterval(() => provider.reset(), 1_000)
process.on('disconnect', () => process.exit())
