// The authorization server and the APIs run in this process of their own, so that the clients are measured without them.
import { startIdentityProvider } from '@tokenward/identity-provider'

const provider = await startIdentityProvider()
const { clientId, clientSecret } = provider.client('catalog.client')
process.send?.({
  tokenEndpoint: provider.tokenEndpoint,
  baseURL: provider.catalog.baseURL,
  clientId,
  clientSecret,
})
// The provider records every request. Nobody reads the records here, and they would fill the memory.
setInterval(() => provider.reset(), 1_000)
process.on('disconnect', () => process.exit())
