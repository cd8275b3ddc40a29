export type { ApiName, ClientName, RegisteredClient, TestClient } from './clients'
export { startControlServer } from './control-server'
export { type FaultResponse, Faults } from './faults'
export {
  type IdentityProvider,
  type IdentityProviderOptions,
  startIdentityProvider,
} from './identity-provider'
export type { IssuedToken } from './issued-tokens'
export type { ProtectedApi } from './protected-api'
export type { RecordedApiRequest } from './recorded-api-request'
export type { RecordedTokenRequest } from './recorded-token-request'
