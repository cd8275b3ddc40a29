import type { Clock } from '../../clock'
import { TokenRequestError } from '../../errors'
import type { GetAccessTokenOptions } from '../../token-parameters'
import type { LimitedWork } from '../../token-presenter'
import type { ClientRegistry } from '../clients/client-registry'
import type { ManagedClient, ResolvedRequest } from '../clients/managed-client'
import { untilAborted } from '../util/abort'
import { closedError } from '../util/closed-error'
import { withLimit } from '../util/time-limit'
import type { RequestResolver } from './request-resolver'

export interface ClientAccessOptions {
  readonly clients: ClientRegistry
  readonly requests: RequestResolver
  readonly clock: Clock
  /** Aborts when the manager is closed. */
  readonly closing: AbortSignal
}

/** Gets clients, and what their calls request. Each wait ends with the caller's signal, and when the manager is closed. */
export class ClientAccess {
  readonly #clients: ClientRegistry
  readonly #requests: RequestResolver
  readonly #clock: Clock
  readonly #closing: AbortSignal

  constructor({ clients, requests, clock, closing }: ClientAccessOptions) {
    this.#clients = clients
    this.#requests = requests
    this.#clock = clock
    this.#closing = closing
  }

  /** The client. @throws what {@link ClientRegistry.get} throws */
  async client(name: string, signal?: AbortSignal): Promise<ManagedClient> {
    const client = this.#clients.get(name)
    return client instanceof Promise ? this.#untilClosed(name, client, signal) : client
  }

  /** @throws ConfigurationError when the call's options are wrong */
  async resolve(name: string, call: GetAccessTokenOptions): Promise<ResolvedRequest> {
    const client = await this.client(name, call.signal)
    const limit = <T>(run: () => Promise<T>) => this.waitFor({ client: name, step: 'key', signal: call.signal, run })
    return this.#requests.resolve(client, call, limit)
  }

  /** Waits for work of others, within the client's time limit. @throws TokenRequestError `timeout` or `closed` */
  async waitFor<T>({ client: name, step, signal, run }: LimitedWork<T>): Promise<T> {
    const { timeoutMs } = (await this.client(name, signal)).configuration
    const timeout = () => {
      const errorDescription = `${step}: no result within ${timeoutMs} ms`
      return new TokenRequestError({ client: name, error: 'timeout', errorDescription, retryable: true })
    }
    const limited = withLimit(this.#clock, timeoutMs, timeout, async () => run(), this.#closing)
    return this.#untilClosed(name, limited, signal)
  }

  async #untilClosed<T>(name: string, work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    try {
      return await untilAborted(work, signal, this.#closing)
    } catch (error) {
      throw error === this.#closing.reason ? closedError(name) : error
    }
  }
}
