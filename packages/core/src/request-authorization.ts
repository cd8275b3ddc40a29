/** A request that an adapter wants to send. It is read at the moment of the call, and never again. */
export interface RequestToAuthorize {
  readonly method: string
  readonly url: string | URL
  /** The request's headers. Only called when `tokenParameters` is a function, and then at once. */
  headers(): Headers
}

/** What a request is sent with. */
export interface RequestAuthorization {
  /** The URL that was checked. The adapter has to send the request there. */
  readonly url: string
  /** Lower-case names. They replace the request's headers of the same name. */
  readonly headers: Readonly<Record<string, string>>
  /**
   * Whether the adapter has to follow redirects itself, with {@link redirected}. A DPoP proof is valid for one URL, and HTTP
   * clients send it on to other URLs.
   */
  readonly followsRedirects: boolean
  /**
   * The headers for the request that a redirect leads to. Undefined when no token may go to `url`: then the request must
   * carry neither `authorization` nor `dpop`.
   */
  redirected(method: string, url: URL): Promise<Readonly<Record<string, string>> | undefined>
  /**
   * Whether a response of this status goes to the caller as it is, so that {@link next} need not be called: nearly every response to
   * a Bearer token. It is called once for a response, in place of `next` or before it.
   */
  isAnswer(status: number): boolean
  /**
   * Decides what happens after a response. Resolves to what the request is sent with once more, or to undefined when the
   * response goes to the caller. Never loses a response: when no new token can be had, the caller gets the API's own 401.
   *
   * @param replayable whether the request's body can be sent a second time
   * @throws the signal's reason when the caller gave up meanwhile
   */
  next(response: ApiResponse, replayable: boolean): Promise<RequestAuthorization | undefined>
}

/** What an API responded, as far as it concerns the token. */
export interface ApiResponse {
  readonly status: number
  readonly headers: { get(name: string): string | null }
  /** The URL that responded, after redirects. Undefined or empty: the request's own. */
  readonly url?: string | undefined
  /** Drops the response's body, because the request is sent once more. Nobody waits for it. */
  discard?(): void | Promise<void>
}
