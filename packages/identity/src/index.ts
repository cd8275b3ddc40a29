export { type AwsCredentials, type AwsWebIdentityTokenOptions, awsWebIdentityToken } from './aws-web-identity-token'
export { type AzureManagedIdentityTokenOptions, azureManagedIdentityToken } from './azure-managed-identity-token'
export { type CommandTokenOptions, commandToken } from './command-token'
export { type EntraFederationOptions, entraFederation } from './entra-federation'
export { type FileTokenOptions, fileToken, type TokenFile } from './file-token'
export { type GithubActionsTokenOptions, githubActionsToken } from './github-actions-token'
export { type GoogleFederationOptions, googleFederation } from './google-federation'
export { type GoogleIdentityTokenOptions, googleIdentityToken } from './google-identity-token'
export { IdentityError, type IdentityErrorDetails, type IdentityErrorReason } from './identity-error'
export type {
  Environment,
  HttpIdentityTokenOptions,
  IdentityContext,
  IdentityTokenOptions,
  IdentityTokenSupplier,
} from './identity-token'
export type { TokenFormat } from './internal/checked-token'
export { SpiffeJwt } from './spiffe-client-auth'
export { type SpiffeTokenOptions, spiffeToken } from './spiffe-token'
