/** The end of a call. It detaches the caller from whatever it waits for. */
export class CallEnd {
  #controller: AbortController | undefined
  #hasCome = false

  /** Aborts when the call ends. Made when there is something to wait for: most calls find their token at once. */
  readonly signal = (): AbortSignal => {
    this.#controller ??= new AbortController()
    if (this.#hasCome) this.#controller.abort()
    return this.#controller.signal
  }

  come(): void {
    this.#hasCome = true
    this.#controller?.abort()
  }
}
