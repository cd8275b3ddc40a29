import type { Activity } from './protocol'

/** What a worker does now: it works, renews the token, or waits for another process. */
export class ActivityTracker {
  readonly #onChange: (activity: Activity) => void
  #requestsUnderWay = 0
  #isWaiting = false
  #activity: Activity = 'working'

  constructor(onChange: (activity: Activity) => void) {
    this.#onChange = onChange
  }

  requestStarted(): void {
    this.#requestsUnderWay++
    this.#update()
  }

  requestEnded(): void {
    this.#requestsUnderWay--
    this.#update()
  }

  /** Whether another process holds the lease, and this one waits for its token. */
  set isWaiting(isWaiting: boolean) {
    this.#isWaiting = isWaiting
    this.#update()
  }

  #update(): void {
    const waiting = this.#isWaiting ? 'waiting' : 'working'
    const activity = this.#requestsUnderWay > 0 ? 'renewing' : waiting
    if (activity === this.#activity) return
    this.#activity = activity
    this.#onChange(activity)
  }
}
