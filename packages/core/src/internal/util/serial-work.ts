/** Runs work one after the other, for each key. */
export class SerialWork {
  readonly #last = new Map<string, Promise<unknown>>()

  /** Runs `work` when all work for the key that came before it has ended. */
  run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve()
    const result = before.then(work)
    const ended = result
      .catch(() => {})
      .then(() => {
        if (this.#last.get(key) === ended) this.#last.delete(key)
      })
    this.#last.set(key, ended)
    return result
  }

  /** Resolves when no work is left. */
  async settled(): Promise<void> {
    while (this.#last.size > 0) await Promise.all(this.#last.values())
  }
}
