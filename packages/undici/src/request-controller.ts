import type { Dispatcher } from 'undici'

/** Controls a request for the user's handler. It stays the same when the request is sent again. */
export class RequestController implements Dispatcher.DispatchController {
  readonly #cancellation = new AbortController()
  #current: Dispatcher.DispatchController | undefined

  /** Aborts when the user cancels the request. */
  get signal(): AbortSignal {
    return this.#cancellation.signal
  }

  get aborted(): boolean {
    return this.signal.aborted
  }

  get reason(): Error | null {
    return this.signal.reason ?? null
  }

  get paused(): boolean {
    return this.#current?.paused ?? false
  }

  get rawHeaders() {
    return this.#current?.rawHeaders ?? null
  }

  get rawTrailers() {
    return this.#current?.rawTrailers ?? null
  }

  /** From now on it controls this attempt. */
  attach(controller: Dispatcher.DispatchController): void {
    this.#current = controller
    if (this.aborted) controller.abort(this.signal.reason)
  }

  abort(reason: Error): void {
    this.#cancellation.abort(reason)
    this.#current?.abort(reason)
  }

  pause(): void {
    this.#current?.pause()
  }

  resume(): void {
    this.#current?.resume()
  }
}
