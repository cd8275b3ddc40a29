/** What a {@link ClientAssertion} supplier is told. */
export interface ClientAssertionContext {
  /** The client's name. */
  readonly client: string
  /** Who the assertion is for: the authorization server's issuer; the token endpoint's URL when no issuer is known. */
  readonly audience: string
}

/** A ready client assertion (RFC 7521 §4.2), or a function that supplies one and is asked for every request. */
export type ClientAssertion = string | ((context: ClientAssertionContext) => string | Promise<string>)
