import type { Dispatcher } from 'undici'

/** What the caller's handler controls its request with. It stays the same when the request is sent again. */
export class RequestController implements Dispatcher.DispatchController {
  /** Made when it is needed: for most requests it is not. */
  #abortion: AbortController | undefined
  #aborted = false
  #reason: Error | null = null
  #current: Dispatcher.DispatchController | undefined
  #paused = false

  /** Aborts when the caller gives up the request. */
  get signal(): AbortSignal {
    if (!this.#abortion) {
      this.#abortion = new AbortController()
      if (this.#aborted) this.#abortion.abort(this.#reason ?? undefined)
    }
    return this.#abortion.signal
  }

  get aborted(): boolean {
    return this.#aborted
  }

  get reason(): Error | null {
    // Without a reason, that of the platform.
    return this.#aborted ? (this.#reason ?? this.signal.reason) : null
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
    if (this.#aborted) controller.abort(this.reason as Error)
  }

  abort(reason: Error): void {
    if (!this.#aborted) {
      this.#aborted = true
      this.#reason = reason
    }
    this.#abortion?.abort(reason)
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
