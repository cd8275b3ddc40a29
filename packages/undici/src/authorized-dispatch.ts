import type { ApiResponse, RequestAuthorization, RequestAuthorizer } from '@tokenward/core'
import type { Dispatcher } from 'undici'
import type { OutgoingRequest } from './outgoing-request'
import { RequestController } from './request-controller'
import { type Handler, ResponseHandler } from './response-handler'

/** One request of the caller, which may be sent more than once. */
export class AuthorizedDispatch {
  readonly #authorizer: RequestAuthorizer
  readonly #dispatch: Dispatcher['dispatch']
  readonly #handler: Handler
  readonly #controller = new RequestController()
  #hasFailed = false

  constructor(authorizer: RequestAuthorizer, dispatch: Dispatcher['dispatch'], handler: Handler) {
    this.#authorizer = authorizer
    this.#dispatch = dispatch
    this.#handler = handler
  }

  /** Sends the request. `readRequest` is called at once. Never rejects: all errors go to the handler. */
  async run(readRequest: () => OutgoingRequest): Promise<void> {
    try {
      const request = readRequest()
      // Before the token is requested, so that a caller that cancels its request need not wait for the token.
      this.#handler.onRequestStart?.(this.#controller, {})
      const { signal } = this.#controller
      const authorization = await this.#authorizer.authorize(request, { signal })
      signal.throwIfAborted()
      this.#send(request, authorization)
    } catch (error) {
      this.#fail(error)
    }
  }

  #send(request: OutgoingRequest, authorization: RequestAuthorization): void {
    const listener = {
      responded: (response: ApiResponse) => {
        // It can only reject when the caller has given up, and the caller knows that.
        authorization.next(response, request.replayable).catch(() => {})
      },
      isForCaller: (rejection: ApiResponse) => this.#isForCaller(request, authorization, rejection),
      fail: (error: unknown) => this.#fail(error),
    }
    this.#dispatch(request.authorizedBy(authorization), new ResponseHandler(this.#handler, this.#controller, listener))
  }

  /** Whether a 401 goes to the caller. Otherwise the request was sent again, or has failed. */
  async #isForCaller(
    request: OutgoingRequest,
    authorization: RequestAuthorization,
    rejection: ApiResponse,
  ): Promise<boolean> {
    try {
      const again = await authorization.next(rejection, request.replayable)
      this.#controller.signal.throwIfAborted()
      if (again === undefined) return true
      this.#send(request, again)
    } catch (error) {
      this.#fail(error)
    }
    return false
  }

  #fail(error: unknown): void {
    if (this.#hasFailed) return
    this.#hasFailed = true
    try {
      this.#handler.onResponseError?.(this.#controller, error as Error)
    } catch {
      // Nobody is left who could be told. An unhandled rejection would end the process.
    }
  }
}
