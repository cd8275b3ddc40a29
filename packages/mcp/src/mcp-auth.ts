import type { AuthorizedFetch } from '@tokenward/fetch'

/** Options of an MCP transport that attach access tokens. One object serves every transport to the same MCP server. */
export interface McpAuth {
  /**
   * Sends the requests of a transport, with a token on each of them. It renews and replaces tokens, and checks where they go. Every
   * transport of the SDK takes it, in version 1 and 2.
   */
  readonly fetch: AuthorizedFetch
  /**
   * Tells the SDK (version 2) why the server rejects the token. It returns no token itself: `fetch` attaches it, because only `fetch`
   * knows where a request goes, and which token a response rejects. Without that `fetch`, requests have no token.
   */
  readonly authProvider: McpAuthProvider
}

/** An `AuthProvider` of `@modelcontextprotocol/client`. */
export interface McpAuthProvider {
  /** Resolves to undefined, so that the SDK attaches no token itself. */
  token(): Promise<undefined>
  /**
   * Always rejects, so that the SDK does not send the request again: `fetch` has done that already.
   *
   * @throws McpUnauthorizedError when the MCP server responded 401
   * @throws ConfigurationError when the transport does not send its requests by the `fetch` of the same object
   */
  onUnauthorized(context: { readonly response: Response }): Promise<never>
}
