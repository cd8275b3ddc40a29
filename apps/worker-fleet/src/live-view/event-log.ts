import type { LogLine, Tone } from './live-state'
import { capitalized, namesOf } from './names'

/** How long workers that do the same thing share a line. */
const MERGED_WITHIN_MS = 3_000
const MOST_LINES = 16

interface Entry {
  readonly id: number
  readonly at: number
  readonly time: string
  readonly tone: Tone
  /** Entries of the same topic share a line. */
  readonly topic: string
  readonly workers: Set<string>
  readonly write: (names: string, count: number) => string
}

/** The last lines of what happened. What several workers do at the same time is one line. */
export class EventLog {
  readonly #workers: number
  #entries: Entry[] = []
  #lastId = 0

  /** @param workers how many workers there are */
  constructor(workers: number) {
    this.#workers = workers
  }

  add(tone: Tone, text: string): void {
    this.#push({ tone, topic: text, workers: new Set(), write: () => text })
  }

  /**
   * Adds what a worker does.
   *
   * @param write returns the line for one worker or several
   */
  addOf(worker: string, tone: Tone, topic: string, write: Entry['write']): void {
    const now = performance.now()
    const same = this.#entries.find((entry) => entry.topic === topic && now - entry.at < MERGED_WITHIN_MS)
    if (same) same.workers.add(worker)
    else this.#push({ tone, topic, workers: new Set([worker]), write })
  }

  /** The latest first. */
  lines(): LogLine[] {
    return this.#entries.map(({ id, time, tone, workers, write }) => {
      const text = capitalized(write(namesOf([...workers], this.#workers), workers.size))
      return { id, time, tone, text }
    })
  }

  #push(entry: Omit<Entry, 'id' | 'at' | 'time'>): void {
    const time = new Date().toTimeString().slice(0, 8)
    const numbered = { ...entry, id: ++this.#lastId, at: performance.now(), time }
    this.#entries = [numbered, ...this.#entries].slice(0, MOST_LINES)
  }
}
