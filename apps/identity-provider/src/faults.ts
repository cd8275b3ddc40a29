import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

/** An answer in place of the real one; `reset` breaks the connection, `hang` never answers. */
export type FaultResponse =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string | object }
  | 'reset'
  | 'hang'

/** What goes wrong at a server, scripted by a test or a sample. */
export class Faults {
  /** How long every answer is held back, milliseconds. Default 0. */
  delayMs = 0
  #queue: { times: number; how: FaultResponse }[] = []

  /** The next `times` requests are answered so; `Infinity`: all, until {@link clear}. */
  fail(times: number, how: FaultResponse): void {
    if (times >= 1) this.#queue.push({ times, how })
  }

  /** From now on nothing goes wrong, and nothing is slow. */
  clear(): void {
    this.#queue = []
    this.delayMs = 0
  }

  /** Ends when the answer may be given; keeps no process alive that has closed its servers. */
  async delay(): Promise<void> {
    if (this.delayMs > 0) await sleep(this.delayMs, undefined, { ref: false })
  }

  /** The fault that the next request meets. */
  take(): FaultResponse | undefined {
    const [next] = this.#queue
    if (!next) return undefined
    next.times -= 1
    if (next.times < 1) this.#queue.shift()
    return next.how
  }
}

/** Answers as `fault` says; the status that was sent, 0 for none. */
export function answerWithFault(fault: FaultResponse, request: IncomingMessage, response: ServerResponse): number {
  if (fault === 'hang') return 0
  if (fault === 'reset') {
    request.socket.destroy()
    return 0
  }
  const { status, headers = {}, body = '' } = fault
  const isJson = typeof body === 'object'
  response.writeHead(status, { 'content-type': isJson ? 'application/json' : 'text/plain', ...headers })
  response.end(isJson ? JSON.stringify(body) : body)
  return status
}
