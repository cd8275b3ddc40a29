const FIRST_MS = 50
const GROWTH = 1.5
const LONGEST_MS = 500

/**
 * How long a process that waits for another one pauses before it looks again: about 50 ms, between half of it and 1.5 times it. Each
 * pause is longer than the one before: after a restart of a large fleet, all of its processes wait for the same.
 */
export class PollPauses {
  readonly #random: () => number
  #ms = FIRST_MS

  constructor(random: () => number) {
    this.#random = random
  }

  next(): number {
    const pauseMs = this.#ms * (0.5 + this.#random())
    this.#ms = Math.min(this.#ms * GROWTH, LONGEST_MS)
    return pauseMs
  }
}
