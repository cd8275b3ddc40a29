import type { EndpointRequest } from './live-state'

const MOST_REQUESTS = 6

/** The last requests to the token endpoint. */
export class EndpointRequests {
  #requests: EndpointRequest[] = []
  #count = 0

  /** The latest first. */
  get latest(): readonly EndpointRequest[] {
    return this.#requests
  }

  sent(worker: string): void {
    const request = { number: ++this.#count, worker, status: 'pending', durationMs: undefined } as const
    this.#requests = [request, ...this.#requests].slice(0, MOST_REQUESTS)
  }

  /** The endpoint responded. Without a status: the connection failed, or the worker has ended. */
  ended(worker: string, status: number | undefined, durationMs?: number): void {
    this.#requests = this.#requests.map((request) =>
      request.worker === worker && request.status === 'pending'
        ? { ...request, status: status ?? 'none', durationMs }
        : request,
    )
  }
}
