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
  run(readRequest: () => OutgoingRequest): void {
    try {
      const request = readRequest()
      // Before the token is requested, so that a caller that cancels its request need not wait for the token.
      this.#handler.onRequestStart?.(this.#controller, {})
      const begun = this.#authorizer.begin(request, { signal: () => this.#controller.signal })
      if (begun instanceof Promise) void this.#sendLater(request, begun)
      else this.#sendUnlessAborted(request, begun)
    } catch (error) {
      this.#fail(error)
    }
  }

  async #sendLater(request: OutgoingRequest, begun: Promise<RequestAuthorization>): Promise<void> {
    try {
      this.#sendUnlessAborted(request, await begun)
    } catch (error) {
      this.#fail(error)
    }
  }

  #sendUnlessAborted(request: OutgoingRequest, authorization: RequestAuthorization): void {
    if (this.#controller.aborted) throw this.#controller.reason
    this.#send(request, authorization)
  }

  #send(request: OutgoingRequest, authorization: RequestAuthorization): void {
    const listener = {
      isAnswer: (status: number) => authorization.isAnswer(status),
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
