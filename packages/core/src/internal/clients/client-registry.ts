import type { ClientDefinition, ClientDefinitionSource, DefinitionContext } from '../../client-definition'
import { TokenRequestError, UnknownClientError } from '../../errors'
import type { TokenRequester } from '../../token-requester'
import { Cooldowns } from '../endpoint/cooldowns'
import { progressOf } from '../endpoint/request-progress'
import { TokenSources, type TokenSourcesOptions } from '../endpoint/token-sources'
import { LruMap, Recency } from '../util/lru-map'
import { Problems } from '../util/option-checks'
import { withLimit } from '../util/time-limit'
import { type ClientDefaults, configureClient } from './configure-client'
import { DPoPProver } from './dpop-prover'
import { KnownRequests } from './known-requests'
import { LateClient } from './late-client'
import type { ManagedClient } from './managed-client'
import { isOwnUrl, type ProtectedResource, readDefinition, resourceOf } from './resource-metadata'

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
  readonly source: Omit<TokenSourcesOptions, 'serverTime'>
  /** Learns the time of the authorization servers, in milliseconds since 1970, and how long ago the request was sent. */
  readonly serverTime: (milliseconds: number, roundTripMs: number) => void
}

type LoadDefinition = (context: DefinitionContext) => Promise<ClientDefinition | undefined>

/** The clients by name: given, added, or found when they are first asked for. Each definition is read once. */
export class ClientRegistry {
  readonly #defined = new Map<string, ManagedClient | LateClient>()
  readonly #resolved: LruMap<LateClient>
  readonly #unreadable: Cooldowns
  readonly #requestRecency: Recency
  readonly #options: ClientRegistryOptions
  readonly #sources: TokenSources
  /** The definitions that were made of the metadata of APIs. */
  readonly #resources = new WeakMap<LateClient, ProtectedResource>()
  /** What {@link ready} found the last time: most processes use one client. */
  #lastName: string | undefined
  #lastClient: ManagedClient | undefined

  constructor(options: ClientRegistryOptions) {
    this.#options = options
    this.#unreadable = new Cooldowns(options.source.clock)
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

  /** Whether {@link ready} returns the same as the last time, and need not be asked until the client is removed or read again. */
  isRemembered(name: string): boolean {
    return name === this.#lastName
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
    const resource = resourceOf(definition)
    if (!resource) return this.#late(name, 'definition', definition)
    this.#unreadable.reset(name)
    const client = this.#late(name, 'definition', (context) => this.#readMetadata(name, definition, context))
    this.#resources.set(client, resource)
    return client
  }

  /** Metadata that could not be read is not read again at once, however many calls need it. */
  async #readMetadata(name: string, read: LoadDefinition, context: DefinitionContext) {
    const remembered = this.#unreadable.errorFor(name)
    if (remembered) throw remembered
    try {
      const definition = await read(context)
      this.#unreadable.reset(name)
      return definition
    } catch (error) {
      if (error instanceof TokenRequestError) this.#unreadable.start(name, error, !error.retryable)
      throw error
    }
  }

  /**
   * An API named the URL of its metadata: reads there which authorization server it uses now.
   *
   * @param onChange called when it is another one than before
   * @returns whether it is another one than before. False when the client's definition does not come from that metadata.
   */
  async reread(name: string, url: URL, onChange: () => void): Promise<boolean> {
    const late = this.#defined.get(name)
    const resource = late instanceof LateClient ? this.#resources.get(late) : undefined
    if (!(late instanceof LateClient) || !resource || !isOwnUrl(resource, url)) return false
    const { issuer } = late.client?.configuration ?? {}
    const load = (context: DefinitionContext) => readDefinition(resource, context, url)
    const loadOther = async () => {
      const client = await this.#load(name, 'definition', load)
      return client.configuration.issuer === issuer ? undefined : client
    }
    return late.reread(this.#options.source.clock.monotonic(), loadOther, () => {
      this.#lastName = undefined
      onChange()
    })
  }

  #late(name: string, step: string, load: LoadDefinition): LateClient {
    return new LateClient(() => this.#load(name, step, load))
  }

  async #load(name: string, step: string, load: LoadDefinition): Promise<ManagedClient> {
    const { defaults, source } = this.#options
    let limit: AbortSignal | undefined
    const timeout = () => {
      const errorDescription = `${step}: no result within ${defaults.timeoutMs} ms`
      const { step: at, url } = progressOf(limit) ?? {}
      return new TokenRequestError({
        client: name,
        error: 'timeout',
        errorDescription,
        retryable: true,
        step: at,
        url,
      })
    }
    const definition = await withLimit(source.clock, defaults.timeoutMs, timeout, async (signal) => {
      limit = signal
      return load({ client: name, signal })
    })
    if (definition === undefined || definition === null) throw new UnknownClientError(name, this.names())
    const problems = new Problems()
    const client = this.#manage(name, definition, problems)
    problems.throwIfAny()
    if (!client) throw new UnknownClientError(name, this.names())
    return client
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
