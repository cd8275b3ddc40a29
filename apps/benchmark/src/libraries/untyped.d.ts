// Three libraries have no types. These cover what the benchmark uses.

declare module 'redlock' {
  export default class Redlock {
    constructor(connections: readonly unknown[])
  }
}

declare module 'undici-oidc-interceptor' {
  import type { Dispatcher } from 'undici-7'

  export function createOidcInterceptor(options: {
    clientId: string
    clientSecret: string
    idpTokenUrl: string
    scope?: string
    retryOnStatusCodes?: number[]
    urls: string[]
  }): Dispatcher.DispatcherComposeInterceptor
}

declare module 'axios-token-interceptor' {
  import type { InternalAxiosRequestConfig } from 'axios'

  interface TokenProviderOptions<Token> {
    getToken: () => Promise<Token>
    headerFormatter: (token: Token) => string
  }

  function tokenProvider<Token>(
    options: TokenProviderOptions<Token>,
  ): (config: InternalAxiosRequestConfig) => Promise<InternalAxiosRequestConfig>

  namespace tokenProvider {
    function tokenCache<Token>(
      getToken: () => Promise<Token>,
      options: { getMaxAge: (token: Token) => number },
    ): () => Promise<Token>
  }

  export default tokenProvider
}
