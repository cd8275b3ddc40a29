import type { ApiResponse } from '@tokenward/core'
import type { Dispatcher } from 'undici'
import type { RequestController } from './request-controller'

type Handler = Dispatcher.DispatchHandler
type Controller = Dispatcher.DispatchController
type ResponseHeaders = Parameters<NonNullable<Handler['onResponseStart']>>[2]

/** A dropped response is read up to this size, so that its connection can be used again. */
const MOST_DROPPED_BYTES = 64 * 1024
/** A dropped response that takes longer is cut off. */
const LONGEST_DROP_MS = 1_000

/** A response on its way to the caller. */
export type ReceivedResponse = Required<Omit<ApiResponse, 'url'>>

type State =
  /** It goes to the caller as it comes. */
  | { readonly name: 'passing' }
  /** It is not known yet whether it goes to the caller. What arrives meanwhile is held back. */
  | { readonly name: 'judging'; readonly held: (() => void)[] }
  /** The request is sent once more. The rest of the response goes nowhere. */
  | { readonly name: 'dropped'; bytes: number; readonly stopTimer: () => void }

/** Passes a response on to the user's handler. A 401 waits until core has judged it. */
export class ResponseHandler implements Handler {
  readonly #inner: Handler
  readonly #controller: RequestController
  readonly #judge: (response: ReceivedResponse) => Promise<boolean>
  #state: State = { name: 'passing' }
  #hasEnded = false

  constructor(inner: Handler, controller: RequestController, judge: (response: ReceivedResponse) => Promise<boolean>) {
    this.#inner = inner
    this.#controller = controller
    this.#judge = judge
  }

  onRequestStart(controller: Controller): void {
    this.#controller.attach(controller)
  }

  onRequestUpgrade(...[, ...details]: Parameters<NonNullable<Handler['onRequestUpgrade']>>): void {
    this.#inner.onRequestUpgrade?.(this.#controller, ...details)
  }

  onResponseStart(controller: Controller, status: number, headers: ResponseHeaders, message?: string): void {
    const pass = () => this.#inner.onResponseStart?.(this.#controller, status, headers, message)
    const response = {
      status,
      headers: { get: (name: string) => headers[name]?.toString() ?? null },
      discard: () => this.#drop(controller),
    }
    if (status === 401) this.#hold(controller, response, pass)
    else {
      // Any response can carry a new nonce, and says whether the token was accepted. Nothing has to wait for that.
      void this.#judge(response)
      pass()
    }
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    if (this.#state.name === 'dropped') {
      this.#state.bytes += chunk.length
      if (this.#state.bytes > MOST_DROPPED_BYTES) controller.abort(new Error('the rest of the response is not needed'))
      return
    }
    this.#pass(() => this.#inner.onResponseData?.(this.#controller, chunk))
  }

  onResponseEnd(_controller: Controller, trailers: ResponseHeaders): void {
    this.#end()
    this.#pass(() => this.#inner.onResponseEnd?.(this.#controller, trailers))
  }

  onResponseError(_controller: Controller, error: Error): void {
    this.#end()
    this.#pass(() => this.#inner.onResponseError?.(this.#controller, error))
  }

  onBodySent(chunk: Buffer): void {
    this.#inner.onBodySent?.(chunk)
  }

  onRequestSent(): void {
    this.#inner.onRequestSent?.()
  }

  #end(): void {
    this.#hasEnded = true
    if (this.#state.name === 'dropped') this.#state.stopTimer()
  }

  #pass(event: () => void): void {
    if (this.#state.name === 'passing') event()
    else if (this.#state.name === 'judging') this.#state.held.push(event)
  }

  #hold(controller: Controller, response: ReceivedResponse, pass: () => void): void {
    const held = [pass]
    this.#state = { name: 'judging', held }
    controller.pause()
    void this.#judge(response).then((isTheCallers) => {
      if (!isTheCallers) return this.#drop(controller)
      this.#state = { name: 'passing' }
      try {
        for (const event of held) event()
        controller.resume()
      } catch (error) {
        this.#failPassing(controller, error as Error)
      }
    })
  }

  /** A handler that throws fails its request, as it does when undici calls it. */
  #failPassing(controller: Controller, error: Error): void {
    if (!this.#hasEnded) {
      controller.abort(error)
      return
    }
    try {
      this.#inner.onResponseError?.(this.#controller, error)
    } catch {
      // Nobody is left to be told.
    }
  }

  #drop(controller: Controller): void {
    if (this.#state.name !== 'judging') return
    const cut = () => controller.abort(new Error('the rest of the response is not needed'))
    const timer = this.#hasEnded ? undefined : (setTimeout(cut, LONGEST_DROP_MS) as unknown as { unref?: () => void })
    timer?.unref?.()
    this.#state = { name: 'dropped', bytes: 0, stopTimer: () => clearTimeout(timer as never) }
    if (!this.#hasEnded) controller.resume()
  }
}
