import type { Dispatcher } from 'undici'

/** The controller that the caller's handler gets. It stays the same one when the request is sent once more. */
export class RequestController implements Dispatcher.DispatchController {
  readonly #abortController = new AbortController()
  #current: Dispatcher.DispatchController | undefined
  #paused = false

  /** Aborts when the caller aborts the request. */
  get signal(): AbortSignal {
    return this.#abortController.signal
  }

  get aborted(): boolean {
    return this.signal.aborted
  }

  get reason(): Error | null {
    return this.signal.reason ?? null
  }

  /** Whether the caller's handler has paused the response. */
  get paused(): boolean {
    return this.#paused
  }

  get rawHeaders() {
    return this.#current?.rawHeaders ?? null
  }

  get rawTrailers() {
    return this.#current?.rawTrailers ?? null
  }

  /** Makes this controller control the request that undici has just started. */
  attach(controller: Dispatcher.DispatchController): void {
    this.#current = controller
    if (this.aborted) controller.abort(this.signal.reason)
    else if (this.#paused) controller.pause()
  }

  abort(reason: Error): void {
    this.#abortController.abort(reason)
    this.#current?.abort(reason)
  }

  pause(): void {
    this.#paused = true
    this.#current?.pause()
  }

  resume(): void {
    this.#paused = false
    this.#current?.resume()
  }

  /** Reports to the caller's handler that the request failed. Does not throw. */
  fail(handler: Dispatcher.DispatchHandler, error: unknown): void {
    try {
      handler.onResponseError?.(this, error as Error)
    } catch {
      // The handler cannot even be told. An exception here would end the process.
    }
  }
}
