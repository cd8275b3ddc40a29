import type { ApiResponse, RequestAuthorization, RequestAuthorizer } from '@tokenward/core'
import type { Dispatcher } from 'undici'
import { OutgoingRequest } from './outgoing-request'
import { RequestController } from './request-controller'
import { type Decision, ResponseHandler } from './response-handler'

type Dispatch = Dispatcher['dispatch']
type Handler = Dispatcher.DispatchHandler

/** Dispatches the requests of one client with its tokens. */
export class AuthorizedDispatcher {
  readonly #authorizer: RequestAuthorizer
  readonly #client: string
  readonly #dispatch: Dispatch

  constructor(authorizer: RequestAuthorizer, client: string, dispatch: Dispatch) {
    this.#authorizer = authorizer
    this.#client = client
    this.#dispatch = dispatch
  }

  /** Never throws: what goes wrong is reported to `handler`. */
  dispatch(options: Dispatcher.DispatchOptions, handler: Handler): void {
    const controller = new RequestController()
    try {
      const request = new OutgoingRequest(options, this.#client)
      // Before a token is requested, so that the caller can abort while it is waited for.
      handler.onRequestStart?.(controller, {})
      void new AuthorizedDispatch(this.#dispatch, request, handler, controller).run(this.#authorizer)
    } catch (error) {
      controller.fail(handler, error)
    }
  }
}

/** One request of a caller. It is sent more than once when the API rejects its token. */
class AuthorizedDispatch {
  readonly #dispatch: Dispatch
  readonly #request: OutgoingRequest
  readonly #handler: Handler
  readonly #controller: RequestController

  constructor(dispatch: Dispatch, request: OutgoingRequest, handler: Handler, controller: RequestController) {
    this.#dispatch = dispatch
    this.#request = request
    this.#handler = handler
    this.#controller = controller
  }

  /** Never rejects. */
  async run(authorizer: RequestAuthorizer): Promise<void> {
    const { signal } = this.#controller
    try {
      const authorization = await authorizer.authorize(this.#request.toAuthorize(), { signal })
      signal.throwIfAborted()
      this.#send(authorization)
    } catch (error) {
      this.#controller.fail(this.#handler, error)
    }
  }

  #send(authorization: RequestAuthorization): void {
    const handler = new ResponseHandler(this.#handler, this.#controller, (response) =>
      response.status === 401 ? this.#decide(authorization, response) : report(authorization, response),
    )
    this.#dispatch(this.#request.authorizedBy(authorization), handler)
  }

  /** Decides whether a 401 goes to the caller. If it does not, the request is sent once more, or has failed. */
  async #decide(authorization: RequestAuthorization, response: ApiResponse): Promise<Decision> {
    const { signal } = this.#controller
    try {
      const again = await authorization.next(response, this.#request.replayable)
      signal.throwIfAborted()
      if (again === undefined) return 'forward'
      this.#send(again)
    } catch (error) {
      this.#controller.fail(this.#handler, error)
    }
    return 'discard'
  }
}

/** Tells core about a response that the caller gets in any case. */
async function report(authorization: RequestAuthorization, response: ApiResponse): Promise<Decision> {
  await authorization.next(response, false).catch(() => undefined)
  return 'forward'
}
