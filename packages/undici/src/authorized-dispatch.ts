import {
  isReplayableBody,
  type RequestAuthorization,
  type RequestAuthorizer,
  type RequestToAuthorize,
} from '@tokenward/core'
import type { Dispatcher } from 'undici'
import { headersOf, withHeaders } from './headers'
import { RequestController } from './request-controller'

type Dispatch = Dispatcher['dispatch']
type Handler = Dispatcher.DispatchHandler
type AnswerHeaders = Parameters<NonNullable<Handler['onResponseStart']>>[2]

/** One request of a user of the dispatcher, however often it is sent. */
export class AuthorizedDispatch {
  readonly #authorizer: RequestAuthorizer
  readonly #dispatch: Dispatch
  readonly #request: Dispatcher.DispatchOptions
  readonly #handler: Handler
  readonly #controller = new RequestController()

  constructor(
    authorizer: RequestAuthorizer,
    dispatch: Dispatch,
    request: Dispatcher.DispatchOptions,
    handler: Handler,
  ) {
    this.#authorizer = authorizer
    this.#dispatch = dispatch
    this.#request = request
    this.#handler = handler
  }

  async run(): Promise<void> {
    try {
      // Before a token is asked for, so that who cancels the request need not wait for one.
      this.#handler.onRequestStart?.(this.#controller, {})
      const { signal } = this.#controller
      const authorization = await this.#authorizer.authorize(outgoing(this.#request), { signal })
      signal.throwIfAborted()
      this.#send(authorization)
    } catch (error) {
      this.#fail(error)
    }
  }

  #send(authorization: RequestAuthorization): void {
    const request = { ...this.#request, headers: withHeaders(this.#request.headers, authorization.headers) }
    this.#dispatch(
      request,
      new AnswerHandler(this.#handler, this.#controller, (answer) => this.#judge(authorization, answer)),
    )
  }

  /** Whether the answer is the caller's. If not, the request is on its way once more, or has failed. */
  async #judge(authorization: RequestAuthorization, answer: Answer): Promise<boolean> {
    const { status, headers } = answer
    const judged = { status, headers: { get: (name: string) => headerOf(headers, name) }, discard: answer.discard }
    try {
      const again = await authorization.next(judged, isReplayableBody(this.#request.body))
      if (again === undefined) return true
      this.#controller.signal.throwIfAborted()
      this.#send(again)
    } catch (error) {
      answer.discard()
      this.#fail(error)
    }
    return false
  }

  #fail(error: unknown): void {
    this.#handler.onResponseError?.(this.#controller, error as Error)
  }
}

interface Answer {
  readonly status: number
  readonly headers: AnswerHeaders
  /** Lets the rest of it pass unseen. */
  discard(): void
}

/** Passes an answer on, except for one that has to be judged first: that waits until it is known whose it is. */
class AnswerHandler implements Handler {
  readonly #inner: Handler
  readonly #controller: RequestController
  readonly #judge: (answer: Answer) => Promise<boolean>
  #state: 'passing' | 'waiting' | 'discarding' = 'passing'

  constructor(inner: Handler, controller: RequestController, judge: (answer: Answer) => Promise<boolean>) {
    this.#inner = inner
    this.#controller = controller
    this.#judge = judge
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller.attach(controller)
  }

  onRequestUpgrade(...[, ...details]: Parameters<NonNullable<Handler['onRequestUpgrade']>>): void {
    this.#inner.onRequestUpgrade?.(this.#controller, ...details)
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: AnswerHeaders,
    message?: string,
  ): void {
    const pass = () => this.#inner.onResponseStart?.(this.#controller, status, headers, message)
    const discard = () => {
      if (this.#state !== 'waiting') return
      this.#state = 'discarding'
      controller.resume()
    }
    const answer = { status, headers, discard }
    if (status !== 401) {
      // A new nonce may come with any answer; nothing has to wait for its being remembered.
      if (headers['dpop-nonce'] !== undefined) void this.#judge(answer)
      pass()
      return
    }
    this.#state = 'waiting'
    controller.pause()
    void this.#judge(answer).then((isTheCallers) => {
      if (!isTheCallers) return
      this.#state = 'passing'
      pass()
      controller.resume()
    })
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#state === 'passing') this.#inner.onResponseData?.(this.#controller, chunk)
  }

  onResponseEnd(_controller: Dispatcher.DispatchController, trailers: AnswerHeaders): void {
    if (this.#state === 'passing') this.#inner.onResponseEnd?.(this.#controller, trailers)
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    // What breaks in an answer that is nobody's is nobody's error.
    if (this.#state !== 'discarding') this.#inner.onResponseError?.(this.#controller, error)
  }

  onBodySent(chunk: Buffer): void {
    this.#inner.onBodySent?.(chunk)
  }

  onRequestSent(): void {
    this.#inner.onRequestSent?.()
  }
}

function outgoing({ origin, path, method, query, headers }: Dispatcher.DispatchOptions): RequestToAuthorize {
  const url = new URL(path, origin)
  for (const [name, value] of Object.entries(query ?? {})) url.searchParams.append(name, String(value))
  return {
    method,
    url,
    headers: () => headersOf(headers),
  }
}

function headerOf(headers: AnswerHeaders, name: string): string | null {
  return headers[name]?.toString() ?? null
}
