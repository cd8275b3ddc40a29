// The code that users type. The compiler checks that it stays valid; nothing here runs.
import { attachTokens, createAxios } from '@tokenward/axios'
import {
  ClientSecretPost,
  createTokenManager,
  None,
  PrivateKeyJwt,
  TlsClientAuth,
  type TokenManager,
  type TokenStore,
} from '@tokenward/core'
import { createFetch } from '@tokenward/fetch'
import { createOfetch } from '@tokenward/ofetch'
import { memoryStore } from '@tokenward/store-memory'
import { createTestTokens, TestClock } from '@tokenward/testing'

type AxiosInstance = ReturnType<typeof createAxios>
type $Fetch = ReturnType<typeof createOfetch>

interface Invoice {
  total: number
}

export const tokens = createTokenManager({
  clients: {
    'catalog.client': {
      tokenEndpoint: 'https://demo.duendesoftware.com/connect/token',
      clientId: '6f59b670-990f-4ef7-856f-0dd584ed1fac',
      // biome-ignore lint/suspicious/noUndeclaredEnvVars: an example, which no build depends on
      clientSecret: process.env.CATALOG_SECRET,
      scope: 'catalog inventory',
    },
    'invoice.client': { issuer: 'https://demo.duendesoftware.com', clientId: 'i', clientSecret: 's', scope: 'invoice' },
    late: async () => ({ issuer: 'https://as.example', clientId: 'l', clientSecret: async () => 's' }),
    post: { issuer: 'https://as.example', clientId: 'p', clientAuth: ClientSecretPost('s'), dpop: true },
    tls: { issuer: 'https://as.example', clientId: 't', clientAuth: TlsClientAuth(), fetch },
    none: { issuer: 'https://as.example', clientId: 'n', clientAuth: None(), allowInsecureRequests: true },
  },
  store: memoryStore(),
  storeTimeoutMs: 100,
  localLifetimeMs: 30_000,
  maxEntries: 10,
  timeoutMs: 1,
  expirationBufferMs: 1,
  defaultLifetimeMs: 1,
  logger: console,
})

export async function manual(jwt: string, signal: AbortSignal, key: CryptoKey): Promise<void> {
  const token = await tokens.getAccessToken('catalog.client')
  const { value, type, expiresAt, scope, client } = token
  const typed: [string, 'Bearer' | 'DPoP' | 'N_A', Date | undefined, string | undefined, string] = [
    value,
    type,
    expiresAt,
    scope,
    client,
  ]
  void typed
  await tokens.getAccessToken('catalog.client', {
    forceRenewal: true,
    scope: 'catalog',
    resource: ['urn:catalog', new URL('https://api.example')],
    parameters: { tenant: 'a' },
    clientAssertion: async ({ client: name, audience }) => `${jwt}${name}${audience}`,
    minValidityMs: 120_000,
    signal,
  })
  await tokens.deleteAccessToken('catalog.client', { scope: 'catalog' })
  await tokens.clear('catalog.client')
  await tokens.clear()
  tokens.addClient('new.client', { issuer: 'https://as.example', clientId: 'c', clientAuth: PrivateKeyJwt(key) })
  tokens.removeClient('new.client')
  const stop: () => void = tokens.on('tokenRetrieved', ({ expiresAt: at }) => at.getTime())
  stop()
  await tokens.warmUp()
  await tokens.warmUp(['catalog.client'])
  // @ts-expect-error no such client
  await tokens.warmUp(['catalog.clinet'])
  const stopKeeping: () => void = tokens.keepFresh('catalog.client', ({ value: secret }) => secret, {
    scope: 'catalog',
  })
  stopKeeping()
  const status: string = JSON.stringify(tokens.status().clients['catalog.client']?.tokens)
  void status
  // @ts-expect-error no such client
  await tokens.getAccessToken('catalog.clinet')
  await tokens.close()
}

export async function clients(existing: AxiosInstance): Promise<void> {
  const baseURL = 'https://apis.company.com/invoice/'
  const native: typeof fetch = createFetch(tokens, 'invoice.client', { baseURL })
  await native('test')
  const invoices = createOfetch(tokens, 'invoice.client', { baseURL, retry: 2, timeout: 1_000 })
  const list: Invoice[] = await invoices<Invoice[]>('list')
  await invoices('test', { tokenParameters: { scope: 'invoice.read' } })
  const axios = createAxios(tokens, 'invoice.client', { baseURL, allowedOrigins: ['https://other.example'] })
  await axios.get<Invoice[]>('list', {
    tokenParameters: ({ method }) => ({ parameters: { method } }),
    retryOn401: false,
  })
  const detach: () => void = attachTokens(existing, tokens, 'invoice.client')
  detach()
  class CatalogClient {
    constructor(private readonly http: $Fetch) {}
    list() {
      return this.http<Invoice[]>('list')
    }
  }
  void [list, new CatalogClient(createOfetch(tokens, 'catalog.client', { baseURL }))]
  // @ts-expect-error no such client
  createFetch(tokens, 'other.client', { baseURL })
}

export const tenants: TokenManager = createTokenManager({ resolveClient: async () => undefined })
export const store: TokenStore = memoryStore()

export async function unitTest(code: (manager: typeof tokens) => Promise<void>): Promise<void> {
  const clock = new TestClock()
  const testTokens = createTestTokens({ clients: { 'catalog.client': { value: 'a' }, 'invoice.client': {} }, clock })
  // Code that knows more clients than this test needs takes it too.
  await code(testTokens)
  createFetch(testTokens, 'invoice.client', { baseURL: 'https://apis.company.com/invoice/' })
  testTokens.failNext('invoice.client', { error: 'timeout', retryAfterMs: 1_000 })
  await clock.advance(1_000)
  // @ts-expect-error no such client
  testTokens.failNext('late', 'timeout')
}
