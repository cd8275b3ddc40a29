interface ScheduledEvent {
  readonly at: number
  readonly number: number
  readonly run: (() => void) | undefined
}

/** So many events run before other work of this operating system process gets a turn. */
const EVENTS_PER_TURN = 2_000

/**
 * The simulated time, in milliseconds, and what happens in it. Between two events, every promise that can go on does so: the
 * order of events, and with it the whole run, depends on nothing but the seed.
 */
export class Scheduler {
  now = 0
  /** Called before each event. */
  onEvent: () => void = () => {}
  readonly #heap: ScheduledEvent[] = []
  #number = 0
  #count = 0
  #isStopped = false

  get events(): number {
    return this.#count
  }

  /** Calls `run` once at that time. The returned function cancels that. */
  at(time: number, run: () => void): () => void {
    const event = { at: Math.max(time, this.now), number: this.#number++, run: run as (() => void) | undefined }
    this.#push(event)
    return () => {
      event.run = undefined
    }
  }

  in(delayMs: number, run: () => void): () => void {
    return this.at(this.now + delayMs, run)
  }

  /** Ends {@link runUntil} before the next event. */
  stop(): void {
    this.#isStopped = true
  }

  /** Runs all events until that time. */
  runUntil(time: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const step = () => {
        const next = this.#popUntil(time)
        if (!next || this.#isStopped) {
          if (!this.#isStopped) this.now = time
          resolve()
          return
        }
        this.now = next.at
        this.#count++
        try {
          this.onEvent()
          next.run?.()
        } catch (error) {
          reject(error)
          return
        }
        if (this.#count % EVENTS_PER_TURN === 0) setImmediate(step)
        // Ticks run after all microtasks, those that microtasks add included. A tick that adds a tick would come too early.
        else queueMicrotask(() => process.nextTick(step))
      }
      setImmediate(step)
    })
  }

  #popUntil(time: number): ScheduledEvent | undefined {
    for (;;) {
      const [first] = this.#heap
      if (!first || first.at > time) return undefined
      this.#pop()
      if (first.run) return first
    }
  }

  #push(event: ScheduledEvent): void {
    const heap = this.#heap
    let index = heap.push(event) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      const other = heap[parent] as ScheduledEvent
      if (isBefore(other, event)) break
      heap[index] = other
      index = parent
    }
    heap[index] = event
  }

  #pop(): void {
    const heap = this.#heap
    const event = heap.pop() as ScheduledEvent
    if (heap.length === 0) return
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= heap.length) break
      const right = heap[child + 1]
      if (right && isBefore(right, heap[child] as ScheduledEvent)) child++
      const smallest = heap[child] as ScheduledEvent
      if (isBefore(event, smallest)) break
      heap[index] = smallest
      index = child
    }
    heap[index] = event
  }
}

/** Events of the same moment run in the order in which they were scheduled. */
function isBefore(a: ScheduledEvent, b: ScheduledEvent): boolean {
  return a.at < b.at || (a.at === b.at && a.number < b.number)
}
