import { createTokenManager, type KeyPair, type TokenStore } from '@tokenward/core'

/** Where the sample's servers are, and who it is there. In a real worker all of it comes from the environment. */
export interface SampleEnvironment {
  readonly tokenEndpoint: string
  readonly issuer: string
  readonly catalog: { readonly url: string; readonly clientId: string; readonly clientSecret: string }
  readonly invoice: { readonly url: string; readonly clientId: string; readonly clientSecret: string }
  readonly keyClient: { readonly clientId: string; readonly privateKey: KeyPair['privateKey'] }
  readonly dpopClient: { readonly clientId: string; readonly clientSecret: string }
  readonly workload: { readonly clientId: string; readonly tokenFile: string }
}

/** The one place of the application that knows how tokens are had, and where they are kept. */
export function sampleTokens({ tokenEndpoint, issuer, catalog, invoice }: SampleEnvironment, store?: TokenStore) {
  return createTokenManager({
    store,
    clients: {
      'catalog.client': {
        tokenEndpoint,
        clientId: catalog.clientId,
        clientSecret: catalog.clientSecret,
        scope: 'catalog inventory',
      },
      'invoice.client': {
        issuer,
        clientId: invoice.clientId,
        clientSecret: async () => invoice.clientSecret, // from a vault, say
        scope: 'invoice',
      },
    },
  })
}

export type SampleTokens = ReturnType<typeof sampleTokens>
