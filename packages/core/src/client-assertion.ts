/** What the supplier of a {@link ClientAssertion} gets. */
export interface ClientAssertionContext {
  /** The client's name. */
  readonly client: string
  /** The audience of the assertion: the authorization server's issuer, or the token endpoint's URL when no issuer is known. */
  readonly audience: string
  /** Ends when nobody waits for the assertion any more: the time of the token request is over, or the manager was closed. */
  readonly signal?: AbortSignal | undefined
}

/** A ready client assertion (RFC 7521 §4.2), or a function that supplies one and is called for each request. */
export type ClientAssertion = string | ((context: ClientAssertionContext) => string | Promise<string>)
