export type { ApiName, RegisteredClient, TestClient } from './clients'
export { type FaultResponse, Faults } from './faults'
export {
  type IdentityProvider,
  type IdentityProviderOptions,
  type RecordedTokenRequest,
  startIdentityProvider,
} from './identity-provider'
export type { ProtectedApi, RecordedApiRequest } from './protected-api'
