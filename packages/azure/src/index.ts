export { createTokenCredential, type TokenCredentialOptions } from './create-token-credential'
export { type CredentialRequesterOptions, credentialRequester } from './credential-requester'
