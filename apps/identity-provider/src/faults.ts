import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

/** What a client gets in place of the real response. `reset` breaks the connection. `hang` never responds. */
export type FaultResponse =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string | object }
  | 'reset'
  | 'hang'

/** The faults of one server. A test or a sample sets them while the server runs. */
export class Faults {
  /** How much later every response is sent, in milliseconds. Default 0. */
  delayMs = 0
  #queue: { times: number; response: FaultResponse }[] = []
  #atRate: { rate: number; response: FaultResponse } | undefined

  /**
   * The next `times` requests get `response`; with `Infinity` all, until {@link clear}. Faults that were set before come first.
   */
  fail(times: number, response: FaultResponse): void {
    if (times >= 1) this.#queue.push({ times, response })
  }

  /** Requests get `response` at random: none with the rate 0, all with 1, until {@link clear}. Replaces the rate that was set before. */
  failAtRate(rate: number, response: FaultResponse): void {
    this.#atRate = { rate, response }
  }

  /** Ends all faults and the delay. */
  clear(): void {
    this.#queue = []
    this.#atRate = undefined
    this.delayMs = 0
  }

  /** Waits for `delayMs`. The timer does not keep the process alive. */
  async delay(): Promise<void> {
    if (this.delayMs > 0) await sleep(this.delayMs, undefined, { ref: false })
  }

  /** Takes the fault of the next request. Undefined: the request gets the real response. */
  take(): FaultResponse | undefined {
    const [next] = this.#queue
    if (!next) return this.#atRate && Math.random() < this.#atRate.rate ? this.#atRate.response : undefined
    next.times -= 1
    if (next.times < 1) this.#queue.shift()
    return next.response
  }
}

/** Responds as `fault` says. Returns the status that was sent, or 0 when none was. */
export function respondWithFault(fault: FaultResponse, request: IncomingMessage, response: ServerResponse): number {
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
