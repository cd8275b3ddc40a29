import { readFile } from 'node:fs/promises'
import { createTokenManager, type KeyPair, PrivateKeyJwt, type TokenStore } from '@tokenward/core'

/** The URLs and credentials of the sample. A real worker reads them from its environment. */
export interface SampleEnvironment {
  readonly issuer: string
  readonly tokenEndpoint: string
  readonly catalogUrl: string
  readonly invoiceUrl: string
  readonly catalogClient: { readonly clientId: string; readonly clientSecret: string }
  readonly invoiceClient: { readonly clientId: string; readonly clientSecret: string }
  readonly keyClient: { readonly clientId: string; readonly privateKey: KeyPair['privateKey'] }
  readonly dpopClient: { readonly clientId: string; readonly clientSecret: string }
  readonly workloadClient: { readonly clientId: string; readonly tokenFile: string }
}

/**
 * Creates the token manager. One manager serves all clients of a process, and no other file knows how tokens are requested or
 * where they are kept.
 *
 * @param store where to keep tokens in addition to the memory of this process
 */
export function createSampleTokens(environment: SampleEnvironment, store?: TokenStore) {
  const { issuer, tokenEndpoint, catalogClient, invoiceClient, keyClient, dpopClient, workloadClient } = environment
  return createTokenManager({
    store,
    clients: {
      'catalog.client': {
        tokenEndpoint, // the URL itself: no discovery
        clientId: catalogClient.clientId,
        clientSecret: catalogClient.clientSecret,
        scope: 'catalog inventory',
      },
      'invoice.client': {
        issuer, // the token endpoint is found by discovery
        clientId: invoiceClient.clientId,
        clientSecret: async () => invoiceClient.clientSecret, // a real worker would read it from a vault here
        scope: 'invoice',
      },
      // A private key instead of a secret: the authorization server only knows the public key.
      'key.client': {
        issuer,
        clientId: keyClient.clientId,
        clientAuth: PrivateKeyJwt(keyClient.privateKey),
        scope: 'catalog',
      },
      // Tokens that are bound to a key of this process (RFC 9449).
      'dpop.client': {
        issuer,
        clientId: dpopClient.clientId,
        clientSecret: dpopClient.clientSecret,
        scope: 'catalog',
        dpop: true,
      },
      // Workload identity: the platform writes a token to a file and replaces it from time to time, as Kubernetes does. The
      // file is read for each token request.
      'workload.client': {
        issuer,
        clientId: workloadClient.clientId,
        clientAssertion: async () => (await readFile(workloadClient.tokenFile, 'utf8')).trim(),
        scope: 'catalog',
      },
    },
  })
}

export type SampleTokens = ReturnType<typeof createSampleTokens>
