export type { HttpClient, HttpClientFactory, HttpClients } from './http-clients'
export { getClientToken, InjectClient, InjectTokens, TOKEN_MANAGER } from './inject'
export type { TokenwardAsyncOptions, TokenwardOptions } from './module-options'
export { TokenwardModule } from './tokenward-module'
