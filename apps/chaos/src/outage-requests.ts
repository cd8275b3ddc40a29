import type { Bounds } from './bounds'
import type { TokenRequest } from './observations'

/** The requests that reach a token endpoint which is down. */
export class OutageRequests {
  readonly #bounds: Bounds
  #recent: { readonly process: string; readonly at: number; readonly hasLearned: boolean }[] = []
  /** How many requests of each process have failed, and when it knew that the endpoint is down. */
  readonly #failures = new Map<string, { count: number; learnedAt: number }>()
  /** When the outage began. Undefined: there is none. */
  since: number | undefined

  constructor(bounds: Bounds) {
    this.#bounds = bounds
  }

  began(at: number): void {
    this.since = at
    this.#recent = []
    this.#failures.clear()
  }

  over(): void {
    this.since = undefined
  }

  ended({ process, at, endedAt = at }: TokenRequest): void {
    if (this.since === undefined || at < this.since) return
    const failures = this.#failures.get(process) ?? { count: 0, learnedAt: Number.POSITIVE_INFINITY }
    if (++failures.count === this.#bounds.failuresToLearn) failures.learnedAt = endedAt
    this.#failures.set(process, failures)
  }

  /** Counts a request. Returns how many requests its process sent of late, and the processes that know that the endpoint is down. */
  count({ process, at }: TokenRequest): { readonly ofProcess: number; readonly ofFleet: number } {
    const hasLearned = at > (this.#failures.get(process)?.learnedAt ?? Number.POSITIVE_INFINITY)
    this.#recent.push({ process, at, hasLearned })
    this.#recent = this.#recent.filter((each) => each.at > at - this.#bounds.outageWindowMs)
    return {
      ofProcess: this.#recent.filter((each) => each.process === process).length,
      ofFleet: this.#recent.filter((each) => each.hasLearned).length,
    }
  }
}
