import type { ApiResponse } from '@tokenward/core'
import type { Dispatcher } from 'undici'
import type { RequestController } from './request-controller'

type Handler = Dispatcher.DispatchHandler
type Controller = Dispatcher.DispatchController
type ResponseHeaders = Parameters<NonNullable<Handler['onResponseStart']>>[2]

/** What happens to a response: the caller's handler gets it, or its request is sent once more. */
export type Decision = 'forward' | 'discard'

/**
 * - `forwarded`: the caller's handler gets every event.
 * - `undecided`: a 401. Its events are kept back until it is known whether the request is sent once more.
 * - `discarded`: the request was sent once more, or the caller's handler has failed. Nobody gets the rest of this response.
 */
type ResponseState = 'forwarded' | 'undecided' | 'discarded'

/** A body that is dropped is read up to these limits, so that its connection can serve the next request. */
const MAX_DISCARDED_BYTES = 64 * 1024
const MAX_DISCARD_MS = 1_000

/** Forwards the events of one response to the caller's handler. Keeps a 401 back until `decide` resolves. */
export class ResponseHandler implements Handler {
  readonly #inner: Handler
  readonly #callersController: RequestController
  readonly #decide: (response: ApiResponse) => Promise<Decision>
  #state: ResponseState = 'forwarded'
  #keptBack: (() => void)[] = []
  /** No more events come. */
  #ended = false
  #discardedBytes = 0
  #discardTimer: ReturnType<typeof setTimeout> | undefined

  /** @param decide must not reject */
  constructor(
    inner: Handler,
    callersController: RequestController,
    decide: (response: ApiResponse) => Promise<Decision>,
  ) {
    this.#inner = inner
    this.#callersController = callersController
    this.#decide = decide
  }

  onRequestStart(controller: Controller): void {
    this.#callersController.attach(controller)
  }

  onRequestUpgrade(...[, ...details]: Parameters<NonNullable<Handler['onRequestUpgrade']>>): void {
    this.#inner.onRequestUpgrade?.(this.#callersController, ...details)
  }

  onBodySent(chunk: Buffer): void {
    this.#inner.onBodySent?.(chunk)
  }

  onRequestSent(): void {
    this.#inner.onRequestSent?.()
  }

  onResponseStart(controller: Controller, status: number, headers: ResponseHeaders, message?: string): void {
    const forward = () => this.#inner.onResponseStart?.(this.#callersController, status, headers, message)
    const response: ApiResponse = {
      status,
      headers: { get: (name) => headers[name]?.toString() ?? null },
      discard: () => this.#discard(controller),
    }
    if (status === 401) this.#keepBack(controller, response, forward)
    else {
      // Core has to know that the token was accepted, and the new DPoP nonce. The response does not wait for that.
      void this.#decide(response)
      forward()
    }
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    this.#emit(() => this.#inner.onResponseData?.(this.#callersController, chunk))
    if (this.#state !== 'discarded') return
    this.#discardedBytes += chunk.length
    if (this.#discardedBytes > MAX_DISCARDED_BYTES) controller.abort(new Error('the body of a 401 is too long to read'))
  }

  onResponseEnd(_controller: Controller, trailers: ResponseHeaders): void {
    this.#end(() => this.#inner.onResponseEnd?.(this.#callersController, trailers))
  }

  onResponseError(_controller: Controller, error: Error): void {
    this.#end(() => this.#inner.onResponseError?.(this.#callersController, error))
  }

  #end(event: () => void): void {
    this.#ended = true
    clearTimeout(this.#discardTimer)
    this.#emit(event)
  }

  #emit(event: () => void): void {
    if (this.#state === 'forwarded') event()
    else if (this.#state === 'undecided') this.#keptBack.push(event)
  }

  #keepBack(controller: Controller, response: ApiResponse, start: () => void): void {
    this.#state = 'undecided'
    this.#keptBack.push(start)
    controller.pause()
    void this.#decide(response).then((decision) => {
      if (decision === 'forward') this.#forwardKeptBack(controller)
      else this.#discard(controller)
    })
  }

  /** The caller's handler may throw: undici does not see it here, so the request is failed as undici would do it. */
  #forwardKeptBack(controller: Controller): void {
    this.#state = 'forwarded'
    try {
      for (const event of this.#keptBack) event()
      if (!this.#callersController.paused) controller.resume()
    } catch (error) {
      this.#state = 'discarded'
      if (!this.#ended) controller.abort(error as Error)
      this.#callersController.fail(this.#inner, error)
    }
  }

  /** Reads the rest of the response, within limits, and shows it to nobody. */
  #discard(controller: Controller): void {
    if (this.#state !== 'undecided') return
    this.#state = 'discarded'
    this.#keptBack = []
    if (this.#ended) return
    const timer = setTimeout(() => controller.abort(new Error('the body of a 401 took too long')), MAX_DISCARD_MS)
    // Node's timers keep a process alive unless told otherwise.
    ;(timer as { unref?(): void }).unref?.()
    this.#discardTimer = timer
    controller.resume()
  }
}
