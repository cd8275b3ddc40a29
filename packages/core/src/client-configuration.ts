import type { ClientAuth } from 'openid-client'
import type { ClientAssertion } from './client-assertion'
import type { ClientSecret } from './client-secret'
import type { KeyPair } from './dpop-key'

/**
 * A checked copy of a definition: frozen, with its defaults filled in. Its secrets can be read, but they are not shown when it is
 * printed.
 */
export interface ClientConfiguration {
  /** The client's name. */
  readonly name: string
  readonly tokenEndpoint: string | undefined
  readonly issuer: string | undefined
  readonly clientId: string
  readonly clientSecret: ClientSecret | (() => ClientSecret | Promise<ClientSecret>) | undefined
  readonly clientAuth: ClientAuth | undefined
  readonly clientAssertion: ClientAssertion | undefined
  readonly scope: string | undefined
  readonly resource: readonly string[]
  readonly audience: string | undefined
  readonly parameters: Readonly<Record<string, string>>
  /** The key of a DPoP client. */
  readonly dpopKeyPair: (() => Promise<KeyPair>) | undefined
  readonly fetch: typeof fetch
  readonly timeoutMs: number
  readonly expirationBufferMs: number
  readonly defaultLifetimeMs: number
  readonly allowInsecureRequests: boolean
  readonly mtls: boolean
}
