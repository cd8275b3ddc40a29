/** The two protected APIs. */
export type ApiName = 'catalog' | 'invoice'

/** A client to register in addition to the built-in ones. */
export interface TestClient {
  /** Default: its name. */
  clientId?: string
  /** Default: its name and `-secret`. */
  clientSecret?: string
  /** The scopes that it may request, separated by spaces. Default: those of its API. */
  scope?: string
  /** The API that its tokens are for, unless it requests another resource. Default `catalog`. */
  api?: ApiName
  /** Further client metadata of oidc-provider, such as `token_endpoint_auth_method`. */
  metadata?: Record<string, unknown>
}

/** A registered client. */
export interface RegisteredClient {
  readonly clientId: string
  readonly clientSecret: string
  readonly scope: string
  readonly api: ApiName
  readonly metadata: Readonly<Record<string, unknown>>
}

/** The audience of each API, and its scopes. Each of its tokens needs the first scope, or the one that ends in `.read`. */
export const APIS: Readonly<Record<ApiName, { audience: string; scopes: readonly string[] }>> = {
  catalog: { audience: 'urn:catalog', scopes: ['catalog', 'inventory', 'catalog.read'] },
  invoice: { audience: 'urn:invoice', scopes: ['invoice', 'invoice.read'] },
}

/** The name of a built-in client, or of one that the caller adds. */
export type ClientName = 'catalog.client' | 'invoice.client' | 'catalog.post' | (string & {})

/** Public demo credentials. The first secret has characters that need the form encoding of RFC 6749 §2.3.1. */
const BUILT_IN: Readonly<Record<string, TestClient>> = {
  'catalog.client': {
    clientId: '6f59b670-990f-4ef7-856f-0dd584ed1fac',
    clientSecret: 'd0c17c6a+ba47:4654/a874%f6d576cdf799 &="~',
    api: 'catalog',
  },
  'invoice.client': {
    clientId: 'ff8ac57f-5ade-47f1-b8cd-4c2424672351',
    clientSecret: '4dbbf8ec-d62a-4639-b0db-aa5357a0cf46',
    api: 'invoice',
  },
  'catalog.post': {
    clientId: '0a2b0d1c-4a0f-4a5e-9a4e-2f1a6c7d8e9f',
    clientSecret: 'post: secret & more',
    api: 'catalog',
    metadata: { token_endpoint_auth_method: 'client_secret_post' },
  },
}

export function registeredClients(
  added: Readonly<Record<string, TestClient>>,
  requiresDPoP: boolean,
): Record<ClientName, RegisteredClient> {
  const clients: Record<string, RegisteredClient> = {}
  for (const [name, client] of Object.entries({ ...BUILT_IN, ...added })) {
    const { clientId = name, clientSecret = `${name}-secret`, api = 'catalog', metadata = {} } = client
    clients[name] = {
      clientId,
      clientSecret,
      api,
      metadata: { ...(requiresDPoP && { dpop_bound_access_tokens: true }), ...metadata },
      scope: client.scope ?? APIS[api].scopes.join(' '),
    }
  }
  return clients
}
