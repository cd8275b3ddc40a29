export type { ApiName, ClientName, RegisteredClient, TestClient } from './clients'
export { type FaultResponse, Faults } from './faults'
export {
  type IdentityProvider,
  type IdentityProviderOptions,
  startIdentityProvider,
} from './identity-provider'
export type { ProtectedApi, RecordedApiRequest } from './protected-api'
export type { RecordedTokenRequest } from './recorded-token-request'
