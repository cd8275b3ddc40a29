import {
  isReplayableBody,
  type RequestAuthorization,
  type RequestAuthorizer,
  type RequestToAuthorize,
  snapshotBody,
} from '@tokenward/core'
import type { Dispatcher } from 'undici'
import { copyHeaders, headersOf, withHeaders } from './headers'
import { RequestController } from './request-controller'
import { type ReceivedResponse, ResponseHandler } from './response-handler'

type Dispatch = Dispatcher['dispatch']

/** One request of a user of the dispatcher, however often it is sent. */
export class AuthorizedDispatch {
  readonly #authorizer: RequestAuthorizer
  readonly #dispatch: Dispatch
  readonly #request: Dispatcher.DispatchOptions
  readonly #handler: Dispatcher.DispatchHandler
  readonly #controller = new RequestController()

  constructor(
    authorizer: RequestAuthorizer,
    dispatch: Dispatch,
    request: Dispatcher.DispatchOptions,
    handler: Dispatcher.DispatchHandler,
  ) {
    this.#authorizer = authorizer
    this.#dispatch = dispatch
    this.#request = snapshot(request)
    this.#handler = handler
  }

  /** Never rejects. */
  async run(): Promise<void> {
    try {
      // Before a token is requested, so that a caller that cancels the request does not wait for one.
      this.#handler.onRequestStart?.(this.#controller, {})
      const { signal } = this.#controller
      const authorization = await this.#authorizer.authorize(toAuthorize(this.#request), { signal })
      signal.throwIfAborted()
      this.#send(authorization)
    } catch (error) {
      this.#fail(error)
    }
  }

  #send(authorization: RequestAuthorization): void {
    const request = { ...this.#request, headers: withHeaders(this.#request.headers, authorization.headers) }
    const judge = (response: ReceivedResponse) => this.#judge(authorization, response)
    this.#dispatch(request, new ResponseHandler(this.#handler, this.#controller, judge))
  }

  /** Whether the response goes to the caller. If not, the request is sent once more, or has failed. Never rejects. */
  async #judge(authorization: RequestAuthorization, response: ReceivedResponse): Promise<boolean> {
    try {
      const again = await authorization.next(response, isReplayableBody(this.#request.body))
      if (again === undefined) return true
      this.#controller.signal.throwIfAborted()
      this.#send(again)
    } catch (error) {
      this.#fail(error)
    }
    return false
  }

  #fail(error: unknown): void {
    try {
      this.#handler.onResponseError?.(this.#controller, error as Error)
    } catch {
      // Nobody is left to be told: the handler failed while it was told of a failure.
    }
  }
}

/** The request as it is now. What the caller changes while a token is requested does not change what is sent. */
function snapshot(request: Dispatcher.DispatchOptions): Dispatcher.DispatchOptions {
  const { origin, query, headers, body } = request
  return {
    ...request,
    ...(origin !== undefined && { origin: String(origin) }),
    ...(query && { query: { ...query } }),
    headers: copyHeaders(headers),
    body: snapshotBody(body ?? null),
  }
}

function toAuthorize({ origin, path, method, query, headers }: Dispatcher.DispatchOptions): RequestToAuthorize {
  // undici connects to `origin`, whatever the path says. So the path is not resolved against the origin but appended to it, and a
  // path such as `//other.example/x` stays a path.
  if (typeof path !== 'string' || !path.startsWith('/')) {
    throw new TypeError(
      'the path of a request must begin with a slash: tokens are not sent with an absolute URL as the path',
    )
  }
  const url = new URL(`${new URL(String(origin)).origin}${path}`)
  for (const [name, value] of Object.entries(query ?? {})) url.searchParams.append(name, String(value))
  return { method, url, headers: () => headersOf(headers) }
}
