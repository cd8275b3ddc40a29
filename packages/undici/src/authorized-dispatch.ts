import type { ApiResponse, RequestAuthorization, RequestAuthorizer } from '@tokenward/core'
import type { Dispatcher } from 'undici'
import { OutgoingRequest, type OutgoingRequestContext } from './outgoing-request'
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

  /** Sends the request. `options` are read at once. Never throws or rejects: all errors go to the handler. */
  run(options: Dispatcher.DispatchOptions, context: OutgoingRequestContext): void {
    try {
      const request = new OutgoingRequest(options, context)
      // Before the token is requested, so that a caller that cancels its request need not wait for the token.
      this.#handler.onRequestStart?.(this.#controller, {})
      const begun = this.#authorizer.begin(request, { signal: () => this.#controller.signal })
      if (begun instanceof Promise) void this.#sendLater(request, begun)
      else this.#sendUnlessAborted(request, begun)
    } catch (error) {
      this.fail(error)
    }
  }

  async #sendLater(request: OutgoingRequest, begun: Promise<RequestAuthorization>): Promise<void> {
    try {
      this.#sendUnlessAborted(request, await begun)
    } catch (error) {
      this.fail(error)
    }
  }

  #sendUnlessAborted(request: OutgoingRequest, authorization: RequestAuthorization): void {
    if (this.#controller.aborted) throw this.#controller.reason
    this.send(request, authorization)
  }

  /** Sends the request with this authorization. */
  send(request: OutgoingRequest, authorization: RequestAuthorization): void {
    const attempt = new Attempt(this.#handler, this.#controller, this, request, authorization)
    this.#dispatch(request.authorizedBy(authorization), attempt)
  }

  throwIfAborted(): void {
    if (this.#controller.aborted) this.#controller.signal.throwIfAborted()
  }

  /** Fails the request. Never throws. */
  fail(error: unknown): void {
    if (this.#hasFailed) return
    this.#hasFailed = true
    try {
      this.#handler.onResponseError?.(this.#controller, error as Error)
    } catch {
      // Nobody is left who could be told. An unhandled rejection would end the process.
    }
  }
}

/** One attempt to send a request. It handles its response: another object would cost memory in every call. */
class Attempt extends ResponseHandler {
  readonly #dispatch: AuthorizedDispatch
  readonly #request: OutgoingRequest
  readonly #authorization: RequestAuthorization

  constructor(
    caller: Handler,
    callerController: RequestController,
    dispatch: AuthorizedDispatch,
    request: OutgoingRequest,
    authorization: RequestAuthorization,
  ) {
    super(caller, callerController)
    this.#dispatch = dispatch
    this.#request = request
    this.#authorization = authorization
  }

  protected isAnswer(status: number): boolean {
    return this.#authorization.isAnswer(status)
  }

  protected responded(response: ApiResponse): void {
    // It can only reject when the caller has given up, and the caller knows that.
    this.#authorization.next(response, this.#request.replayable).catch(() => {})
  }

  protected async isForCaller(rejection: ApiResponse): Promise<boolean> {
    try {
      const again = await this.#authorization.next(rejection, this.#request.replayable)
      this.#dispatch.throwIfAborted()
      if (again === undefined) return true
      this.#dispatch.send(this.#request, again)
    } catch (error) {
      this.#dispatch.fail(error)
    }
    return false
  }

  protected fail(error: unknown): void {
    this.#dispatch.fail(error)
  }
}
