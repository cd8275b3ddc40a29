import type { ClientDefinition, ClientDefinitionSource } from '../../client-definition'
import type { Clock } from '../../clock'
import { TokenRequestError, UnknownClientError } from '../../errors'
import type { TokenRequester } from '../../token-requester'
import { TokenSources } from '../endpoint/token-sources'
import type { Emit } from '../util/event-emitter'
import { LruMap, Recency } from '../util/lru-map'
import { Problems } from '../util/option-checks'
import { withLimit } from '../util/time-limit'
import { type ClientDefaults, configureClient } from './configure-client'
import { DPoPProver } from './dpop-prover'
import { KnownRequests } from './known-requests'
import type { ManagedClient } from './managed-client'

export interface ClientRegistryOptions {
  readonly definitions: Readonly<Record<string, ClientDefinitionSource>>
  readonly resolve: ((name: string) => Promise<ClientDefinition | undefined>) | undefined
  readonly defaults: ClientDefaults
  /** Requests the tokens of clients whose definition brings no requester of its own. */
  readonly requester: TokenRequester
  /** How many clients that `resolve` found are kept at most, and how many requests of all clients. */
  readonly maxEntries: number
  /** Collects what is wrong with `definitions`. */
  readonly problems: Problems
  readonly source: { readonly clock: Clock; readonly random: () => number; readonly emit: Emit }
  /** Learns the time of the authorization servers, in milliseconds since 1970, and how long ago the request was sent. */
  readonly serverTime: (milliseconds: number, roundTripMs: number) => void
}

/** A definition that is loaded when it is first needed. It is loaded again after a failure. */
class LateClient {
  readonly #load: () => Promise<ManagedClient>
  #loading: Promise<ManagedClient> | undefined
  client: ManagedClient | undefined

  constructor(load: () => Promise<ManagedClient>) {
    this.#load = load
  }

  get(): Promise<ManagedClient> {
    this.#loading ??= this.#load().then(
      (client) => {
        this.client = client
        return client
      },
      (error) => {
        this.#loading = undefined
        throw error
      },
    )
    return this.#loading
  }
}

/** The clients by name: given, added, or found when they are first asked for. Each definition is read once. */
export class ClientRegistry {
  readonly #defined = new Map<string, ManagedClient | LateClient>()
  readonly #resolved: LruMap<LateClient>
  readonly #requestRecency: Recency
  readonly #options: ClientRegistryOptions
  readonly #sources: TokenSources
  /** What {@link ready} found the last time: most processes use one client. */
  #lastName: string | undefined
  #lastClient: ManagedClient | undefined

  constructor(options: ClientRegistryOptions) {
    this.#options = options
    this.#sources = new TokenSources({ ...options.source, serverTime: options.serverTime })
    this.#resolved = new LruMap(new Recency(options.maxEntries), ({ client }) => client?.requests.clear())
    this.#requestRecency = new Recency(options.maxEntries)
    for (const [name, definition] of Object.entries(options.definitions)) {
      const client = this.#define(name, definition, options.problems)
      if (client) this.#defined.set(name, client)
    }
  }

  /** The names that were defined. */
  names(): string[] {
    return [...this.#defined.keys()]
  }

  /** The names that were defined or found. */
  known(): string[] {
    return [...this.names(), ...this.#resolved.keys()]
  }

  /** The client, if its definition is loaded. */
  ready(name: string): ManagedClient | undefined {
    if (name === this.#lastName) return this.#lastClient
    const defined = this.#defined.get(name)
    const client = defined ?? this.#resolved.get(name)
    const ready = client instanceof LateClient ? client.client : client
    // One that `resolve` found is asked for each time: that keeps it among those that were used last.
    if (defined !== undefined && ready !== undefined) {
      this.#lastName = name
      this.#lastClient = ready
    }
    return ready
  }

  /**
   * @throws UnknownClientError
   * @throws ConfigurationError when a definition that was loaded late is wrong
   * @throws TokenRequestError `timeout` when it was not loaded in time
   */
  get(name: string): ManagedClient | Promise<ManagedClient> {
    const client = this.#defined.get(name) ?? this.#find(name)
    return client instanceof LateClient ? (client.client ?? client.get()) : client
  }

  /** @throws ConfigurationError when the name is taken, or the definition is wrong */
  add(name: string, definition: ClientDefinitionSource): void {
    const problems = new Problems()
    if (this.#defined.has(name)) problems.add(name, 'name', 'is taken; removeClient frees it')
    const client = this.#define(name, definition, problems)
    problems.throwIfAny()
    if (client) this.#defined.set(name, client)
  }

  remove(name: string): boolean {
    this.ready(name)?.requests.clear()
    this.#lastName = undefined
    this.#lastClient = undefined
    const wasDefined = this.#defined.delete(name)
    return this.#resolved.delete(name) || wasDefined
  }

  #find(name: string): LateClient {
    const known = this.#resolved.get(name)
    if (known) return known
    const { resolve } = this.#options
    if (!resolve) throw new UnknownClientError(name, this.names())
    const client = this.#late(name, 'resolveClient', () => resolve(name))
    this.#resolved.set(name, client)
    // A name that is not found, or not in time, is asked for again the next time.
    client.get().catch(() => {
      if (this.#resolved.get(name) === client) this.#resolved.delete(name)
    })
    return client
  }

  #define(
    name: string,
    definition: ClientDefinitionSource,
    problems: Problems,
  ): ManagedClient | LateClient | undefined {
    if (typeof definition !== 'function') return this.#manage(name, definition, problems)
    return this.#late(name, 'definition', definition)
  }

  #late(name: string, step: string, load: () => Promise<ClientDefinition | undefined>): LateClient {
    const { defaults, source } = this.#options
    const timeout = () => {
      const errorDescription = `${step}: no result within ${defaults.timeoutMs} ms`
      return new TokenRequestError({ client: name, error: 'timeout', errorDescription, retryable: true })
    }
    return new LateClient(async () => {
      const definition = await withLimit(source.clock, defaults.timeoutMs, timeout, async () => load())
      if (definition === undefined || definition === null) throw new UnknownClientError(name, this.names())
      const problems = new Problems()
      const client = this.#manage(name, definition, problems)
      problems.throwIfAny()
      if (!client) throw new UnknownClientError(name, this.names())
      return client
    })
  }

  #manage(name: string, definition: ClientDefinition, problems: Problems): ManagedClient | undefined {
    const { defaults, source } = this.#options
    const dpop = definition?.dpop ? new DPoPProver(name, definition.dpop, source.clock.now) : undefined
    const configuration = configureClient(name, definition, defaults, problems, dpop)
    if (!configuration) return undefined
    const requester = definition.requester ?? this.#options.requester
    const tokenSource = this.#sources.create(configuration, requester, definition.fetch)
    return { configuration, requester, source: tokenSource, dpop, requests: new KnownRequests(this.#requestRecency) }
  }
}
