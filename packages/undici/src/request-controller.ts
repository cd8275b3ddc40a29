import type { Dispatcher } from 'undici'

/** What the caller's handler controls its request with. It stays the same when the request is sent again. */
export class RequestController implements Dispatcher.DispatchController {
  readonly #abortion = new AbortController()
  #current: Dispatcher.DispatchController | undefined
  #paused = false

  /** Aborts when the caller gives up the request. */
  get signal(): AbortSignal {
    return this.#abortion.signal
  }

  get aborted(): boolean {
    return this.signal.aborted
  }

  get reason(): Error | null {
    return this.signal.reason ?? null
  }

  /** Whether the caller has paused the response. */
  get paused(): boolean {
    return this.#paused
  }

  get rawHeaders() {
    return this.#current?.rawHeaders ?? null
  }

  get rawTrailers() {
    return this.#current?.rawTrailers ?? null
  }

  /** Makes it control this attempt. */
  attach(controller: Dispatcher.DispatchController): void {
    this.#current = controller
    if (this.aborted) controller.abort(this.signal.reason)
  }

  abort(reason: Error): void {
    this.#abortion.abort(reason)
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
}
