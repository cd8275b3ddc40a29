import { type CallCredentials, credentials, Metadata, type StatusObject, status } from '@grpc/grpc-js'
import { ConfigurationError, type RequestAuthorization, TokenRequestError, TokenwardError } from '@tokenward/core'

/** The call is not sent: there is no other token for it. */
const NOT_SENT = Symbol('not sent')

/** Returns what a call is sent with. Undefined: it is not sent. */
export type Authorize = () => RequestAuthorization | undefined | Promise<RequestAuthorization | undefined>

/** One call and its token. grpc-js itself may send the call several times (a retry policy). Each time it asks for the metadata again. */
export class Attempt {
  readonly #client: string
  readonly #authorize: Authorize
  #authorization: RequestAuthorization | undefined
  #failure: unknown

  constructor(client: string, authorize: Authorize) {
    this.#client = client
    this.#authorize = authorize
  }

  /** An attempt whose token is there: {@link headers} present it. */
  static ready(client: string, authorization: RequestAuthorization): Attempt {
    const attempt = new Attempt(client, () => authorization)
    attempt.#authorization = authorization
    return attempt
  }

  /** What presents the token, if it is there already. */
  get headers(): Readonly<Record<string, string>> {
    return this.#authorization?.headers ?? {}
  }

  /** Credentials of a call that present the token. grpc-js asks for them when the connection is ready. */
  credentials(): CallCredentials {
    return credentials.createFromMetadataGenerator((_call, done) => this.present(done))
  }

  /** Passes the metadata that presents the token to `done`, or an error with the code of a status. Never throws. */
  present(done: (error: Error | null, metadata?: Metadata) => void): void {
    this.#metadata().then(
      (metadata) => done(null, metadata),
      (error) => done(withCode(error)),
    )
  }

  async #metadata(): Promise<Metadata> {
    this.#failure = undefined
    try {
      const authorization = await this.#authorize()
      if (!authorization) throw NOT_SENT
      if (authorization.headers.dpop !== undefined) throw boundToken(this.#client)
      this.#authorization = authorization
      const metadata = new Metadata()
      for (const [name, value] of Object.entries(authorization.headers)) metadata.set(name, value)
      return metadata
    } catch (error) {
      this.#failure = error
      throw error
    }
  }

  /** Whether the call was not sent, because there is no other token for it. */
  get wasNotSent(): boolean {
    return this.#failure === NOT_SENT
  }

  /** Whether the server rejects the token. */
  isRejectedBy({ code }: StatusObject): boolean {
    return code === status.UNAUTHENTICATED && this.#failure === undefined && this.#authorization !== undefined
  }

  /** The server accepts the token. */
  accept(): void {
    this.#authorization?.isAnswer(200)
  }

  /**
   * Notes what a status says about the token. After a rejection, it resolves to what the call is sent with once more, if `isRepeatable`.
   * Never rejects.
   */
  async next(result: StatusObject, isRepeatable: boolean): Promise<RequestAuthorization | undefined> {
    if (result.code === status.OK) this.accept()
    if (!this.isRejectedBy(result)) return undefined
    // A server may say in `www-authenticate` what it demands of the next token, as in HTTP.
    const headers = { get: (name: string) => result.metadata.get(name).map(String).join(', ') || null }
    return this.#authorization?.next({ status: 401, headers }, isRepeatable).catch(() => undefined)
  }

  /** The status for the caller. When there was no token, it says why. */
  statusOf(result: StatusObject): StatusObject {
    const cause = this.#failure
    if (cause === undefined || cause === NOT_SENT || result.code !== codeOf(cause)) return result
    const details = messageOf(cause)
    // grpc-js copies what is in a status to the error that it makes of it.
    return Object.assign({ ...result, details }, { cause })
  }
}

function codeOf(error: unknown): number {
  if (error === NOT_SENT) return status.CANCELLED
  return error instanceof TokenRequestError && error.retryable ? status.UNAVAILABLE : status.UNAUTHENTICATED
}

/** grpc-js makes a status of it. */
function withCode(error: unknown): Error {
  return Object.assign(new Error(messageOf(error)), { code: codeOf(error) })
}

/** The message of another error than ours could say anything. */
function messageOf(error: unknown): string {
  return error instanceof TokenwardError ? error.message : 'no access token'
}

function boundToken(client: string): ConfigurationError {
  const message = 'cannot be used: gRPC has no DPoP proofs. Use another client, or mTLS'
  return new ConfigurationError([{ client, option: 'dpop', message }])
}
