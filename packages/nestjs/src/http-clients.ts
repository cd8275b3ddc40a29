import type { FactoryProvider } from '@nestjs/common'
import type { TokenManager } from '@tokenward/core'

/** Makes an HTTP client: `(tokens) => createFetch(tokens, 'invoice.client', { baseURL })`, or the same with another adapter. */
export type HttpClient = (tokens: TokenManager) => unknown

/** Makes an HTTP client with providers of the application, such as its `ConfigService`. */
export interface HttpClientFactory {
  /** The providers that `create` gets after the token manager. */
  inject?: FactoryProvider['inject']
  // biome-ignore lint/suspicious/noExplicitAny: the types of what is injected are the user's, as in every factory of NestJS
  create(tokens: TokenManager, ...injected: any[]): unknown
}

/** HTTP clients by name: `@InjectClient(name)` injects them. */
export type HttpClients = Readonly<Record<string, HttpClient | HttpClientFactory>>
