import type { Moment } from './plan'

type Waiting = { readonly moment: Moment; readonly resolve: (process: string | undefined) => void }

/** Lets faults wait for what happens in the fleet. */
export class Moments {
  #waiting: Waiting[] = []

  /** Waits for the next such moment. Resolves to the process that renews; to undefined when none came in time. */
  next(moment: Moment, withinMs: number): Promise<string | undefined> {
    if (moment === 'any') return Promise.resolve(undefined)
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#resolve(waiting, undefined), withinMs)
      const waiting: Waiting = {
        moment,
        resolve(process) {
          clearTimeout(timer)
          resolve(process)
        },
      }
      this.#waiting.push(waiting)
    })
  }

  /** It is such a moment now. */
  happens(moment: Exclude<Moment, 'any'>, process: string): void {
    for (const each of this.#waiting.filter((waiting) => waiting.moment === moment)) this.#resolve(each, process)
  }

  #resolve(waiting: Waiting, process: string | undefined): void {
    this.#waiting = this.#waiting.filter((each) => each !== waiting)
    waiting.resolve(process)
  }
}
