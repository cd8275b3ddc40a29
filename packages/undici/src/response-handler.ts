import { type ApiResponse, type DiscardLimit, discardLimit } from '@tokenward/core'
import type { Dispatcher } from 'undici'
import type { RequestController } from './request-controller'

export type Handler = Dispatcher.DispatchHandler
type Controller = Dispatcher.DispatchController
type ResponseHeaders = Parameters<NonNullable<Handler['onResponseStart']>>[2]

/** Where the events of a response go. */
type ResponseState =
  /** To the caller, as they come. */
  | { readonly name: 'passing' }
  /** Nowhere yet: a 401 or 403 waits for the decision whether the request is sent again. */
  | { readonly name: 'held'; readonly events: (() => void)[] }
  /** Nowhere: the request is sent again. The rest is read so that the connection can be used again. */
  | { readonly name: 'dropped'; readonly limit: DiscardLimit }

const PASSING: ResponseState = { name: 'passing' }

/** Handles the response of one attempt. It passes everything to the caller's handler, except a 401 or 403 that is dropped. */
export abstract class ResponseHandler implements Handler {
  readonly #caller: Handler
  readonly #callerController: RequestController
  #state = PASSING
  #hasEnded = false
  /** The URLs that an interceptor below this one was redirected to. */
  #history: readonly URL[] | undefined

  constructor(caller: Handler, callerController: RequestController) {
    this.#caller = caller
    this.#callerController = callerController
  }

  /** Called for each response. Whether it goes to the caller, and nothing is to be learned from it. */
  protected abstract isAnswer(status: number): boolean
  /** Called for all others, but a 401 or 403. */
  protected abstract responded(response: ApiResponse): void
  /** Called for a 401 or 403. Resolves to whether the response goes to the caller; never rejects. */
  protected abstract isForCaller(rejection: ApiResponse): Promise<boolean>
  /** Fails the request. Never throws. */
  protected abstract fail(error: unknown): void

  onRequestStart(controller: Controller, context: { history?: readonly URL[] }): void {
    this.#history = context?.history
    this.#callerController.attach(controller)
  }

  onRequestUpgrade(...[, ...details]: Parameters<NonNullable<Handler['onRequestUpgrade']>>): void {
    // The server has accepted the token, as with a response of this status.
    this.isAnswer(200)
    this.#caller.onRequestUpgrade?.(this.#callerController, ...details)
  }

  onResponseStart(controller: Controller, status: number, headers: ResponseHeaders, message?: string): void {
    // Informational responses precede the one that counts.
    if (status < 200 || this.isAnswer(status)) {
      this.#caller.onResponseStart?.(this.#callerController, status, headers, message)
      return
    }
    const start = () => this.#caller.onResponseStart?.(this.#callerController, status, headers, message)
    const response = {
      status,
      headers: { get: (name: string) => headers[name]?.toString() ?? null },
      url: this.#history?.at(-1)?.href,
      discard: () => this.#drop(controller),
    }
    if (status === 401 || status === 403) {
      void this.#hold(controller, start, response)
      return
    }
    this.responded(response)
    start()
  }

  onResponseData(_controller: Controller, chunk: Buffer): void {
    if (this.#state === PASSING) this.#caller.onResponseData?.(this.#callerController, chunk)
    else if (this.#state.name === 'dropped') this.#state.limit.count(chunk.length)
    else this.#deliver(() => this.#caller.onResponseData?.(this.#callerController, chunk))
  }

  onResponseEnd(_controller: Controller, trailers: ResponseHeaders): void {
    this.#hasEnded = true
    if (this.#state.name === 'dropped') this.#state.limit.release()
    else this.#deliver(() => this.#caller.onResponseEnd?.(this.#callerController, trailers))
  }

  onResponseError(_controller: Controller, error: Error): void {
    this.#hasEnded = true
    if (this.#state.name === 'dropped') this.#state.limit.release()
    else this.#deliver(() => this.fail(error))
  }

  onBodySent(chunk: Buffer): void {
    this.#caller.onBodySent?.(chunk)
  }

  onRequestSent(): void {
    this.#caller.onRequestSent?.()
  }

  #deliver(event: () => void): void {
    // A response without a body ends although it is paused.
    if (this.#state.name === 'held') this.#state.events.push(event)
    else event()
  }

  async #hold(controller: Controller, start: () => void, rejection: ApiResponse): Promise<void> {
    this.#state = { name: 'held', events: [start] }
    controller.pause()
    if (await this.isForCaller(rejection)) this.#pass(controller)
    else this.#drop(controller)
  }

  #pass(controller: Controller): void {
    if (this.#state.name !== 'held') return
    try {
      // An event may lead to the next one, which is then added to the list.
      for (const event of this.#state.events) event()
      this.#state = PASSING
      if (!this.#callerController.paused) controller.resume()
    } catch (error) {
      this.#state = PASSING
      this.#breakOff(controller, error)
    }
  }

  /** Does what undici does when a handler throws: there is no caller of this method that could. */
  #breakOff(controller: Controller, error: unknown): void {
    if (!this.#hasEnded) controller.abort(error as Error)
    this.fail(error)
  }

  #drop(controller: Controller): void {
    if (this.#state.name !== 'held') return
    const limit = discardLimit(() => controller.abort(new Error('the rest of a dropped response is not read')))
    this.#state = { name: 'dropped', limit }
    if (this.#hasEnded) limit.release()
    controller.resume()
  }
}
