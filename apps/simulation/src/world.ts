import { hashText, type Random } from './random'
import type { Scheduler } from './scheduler'

/** The moment at which each run begins, in milliseconds since 1970. */
export const EPOCH_MS = 1_800_000_000_000

/** The log of a run. Only its hash is kept, unless somebody wants to read it. */
export class EventLog {
  #hash = 0x811c9dc5
  readonly #write: ((line: string) => void) | undefined
  readonly #scheduler: Scheduler

  constructor(scheduler: Scheduler, write?: (line: string) => void) {
    this.#scheduler = scheduler
    this.#write = write
  }

  note(text: string): void {
    const line = `${this.#scheduler.now.toFixed(3)} ${text}`
    this.#hash = hashText(line, this.#hash)
    this.#write?.(line)
  }

  get hash(): string {
    return this.#hash.toString(16).padStart(8, '0')
  }
}

/** What all parts of a run share. */
export interface World {
  readonly scheduler: Scheduler
  readonly random: Random
  readonly log: EventLog
}

/** An error as Node gives it when a connection breaks. */
export function connectionError(code: 'ECONNREFUSED' | 'ECONNRESET'): Error {
  return Object.assign(new Error(`the simulated connection failed: ${code}`), { code })
}

/** What a simulated process is for the network: where replies go, if it is still there. */
export interface Host {
  readonly name: string
  readonly index: number
  /** Runs `receive` in the process after `delayMs`, unless the process dies before. */
  deliver(delayMs: number, receive: () => void): void
}
