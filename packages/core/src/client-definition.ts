import type { ClientAuth } from 'openid-client'
import type { ClientAssertion } from './client-assertion'
import type { ClientSecret } from './client-secret'
import type { DPoPOptions } from './dpop-key'
import type { TokenRequester } from './token-requester'

/** One OAuth client: who requests tokens, where, and for what. Exactly one of `tokenEndpoint` and `issuer` is required. */
export interface ClientDefinition {
  /** The URL of the token endpoint (RFC 6749 §3.2). */
  tokenEndpoint?: string | URL | undefined
  /** The issuer. Its metadata names the endpoint (RFC 8414 or OpenID Connect Discovery) and is read when first needed. */
  issuer?: string | URL | undefined
  /** The client identifier (RFC 6749 §2.2). */
  clientId: string
  /**
   * The client secret, or a function that supplies it and is called for each token request. It is sent by
   * `client_secret_basic` (RFC 6749 §2.3.1). For another method, use `clientAuth`.
   *
   * An array of up to 5 secrets, the new one first, is for a rotation. When the server refuses one (`invalid_client`), the same
   * token request goes out with the next. A refused secret comes last for 5 minutes.
   */
  clientSecret?: ClientSecret | (() => ClientSecret | Promise<ClientSecret>) | undefined
  /** How the client authenticates: any of openid-client's methods, such as `ClientSecretPost(secret)`. */
  clientAuth?: ClientAuth | undefined
  /** A ready client assertion (RFC 7523 §2.2), or its supplier, which is called for each request that is sent. */
  clientAssertion?: ClientAssertion | undefined
  /** Scopes to request, separated by spaces (RFC 6749 §3.3). Default: the server decides. */
  scope?: string | undefined
  /** The APIs that the token is for (RFC 8707 resource indicators): absolute URIs. */
  resource?: string | URL | readonly (string | URL)[] | undefined
  /** The `audience` parameter, which some servers use in place of `resource`. */
  audience?: string | undefined
  /** Further form parameters of the token request. */
  parameters?: Readonly<Record<string, string | undefined>> | undefined
  /**
   * Binds tokens to a key, so that only the holder of the key can use them (RFC 9449). `true` makes a key for this process, and
   * no other process can use its tokens. Such a client never falls back to Bearer tokens. Default false.
   */
  dpop?: boolean | DPoPOptions | undefined
  /**
   * The `fetch` presents a client certificate, so the server's `mtls_endpoint_aliases` are used (RFC 8705 §5). It is for
   * certificate-bound tokens together with another client authentication than `TlsClientAuth()`, which implies it. Default false.
   */
  mtls?: boolean | undefined
  /**
   * The transport to the authorization server (a proxy, mTLS). Default: the platform's `fetch`. Clients of one token endpoint share
   * a circuit breaker when they have the same function here. So make the function once, not for each tenant in `resolveClient`.
   */
  fetch?: typeof fetch | undefined
  /** The time limit of one token request, in milliseconds. Default: the manager's, 10,000. */
  timeoutMs?: number | undefined
  /**
   * The last stretch before expiry, in which callers wait for a renewal, in milliseconds. At most a tenth of the token's
   * lifetime counts. Default: the manager's, 60,000.
   */
  expirationBufferMs?: number | undefined
  /** The lifetime of a token whose response names none, in milliseconds. Default: the manager's, 300,000. */
  defaultLifetimeMs?: number | undefined
  /**
   * Lets secrets and tokens travel by plain http to a host that is not loopback, to the token endpoint and to APIs alike. Default
   * false.
   */
  allowInsecureRequests?: boolean | undefined
  /** How tokens of this client are requested. Default: the manager's, which is the client credentials grant. */
  requester?: TokenRequester | undefined
}

/** What a definition that is a function is told. */
export interface DefinitionContext {
  /** The client's name. */
  readonly client: string
  /** Ends when nobody waits for the definition any more, because its time is over. */
  readonly signal: AbortSignal
}

/** A definition, or an async function that returns one and is called when the client is first used. */
export type ClientDefinitionSource = ClientDefinition | ((context: DefinitionContext) => Promise<ClientDefinition>)
