import { type MemoryStore, memoryStore } from '@tokenward/store-memory'
import type { ClientConfiguration } from '../../client-configuration'
import type { ClientDefinition, ClientDefinitionSource } from '../../client-definition'
import type { Clock } from '../../clock'
import { UnknownClientError } from '../../errors'
import type { TokenRequester } from '../../token-requester'
import type { TokenSource } from '../endpoint/token-source'
import { TokenSources } from '../endpoint/token-sources'
import type { Emit } from '../util/event-emitter'
import { Problems } from '../util/option-checks'
import { type ClientDefaults, configureClient } from './configure-client'
import { DPoPProver } from './dpop-prover'

/** A client as the manager works with it. */
export interface ManagedClient {
  readonly configuration: ClientConfiguration
  readonly source: TokenSource
  /** Makes the proofs of a DPoP client. */
  readonly dpop: DPoPProver | undefined
}

export interface ClientRegistryOptions {
  readonly definitions: Readonly<Record<string, ClientDefinitionSource>>
  readonly resolve: ((name: string) => Promise<ClientDefinition | undefined>) | undefined
  readonly defaults: ClientDefaults
  /** What requests the tokens of a client whose definition brings no requester of its own. */
  readonly requester: TokenRequester
  /** The most clients that are kept of those that `resolve` found. */
  readonly maxEntries: number
  /** Where what is wrong with `definitions` goes. */
  readonly problems: Problems
  readonly source: { readonly clock: Clock; readonly random: () => number; readonly emit: Emit }
}

type Entry = ManagedClient | Promise<ManagedClient> | (() => Promise<ClientDefinition>)

/** The clients by name: given, added, or found when they are first asked for; each is read once. */
export class ClientRegistry {
  readonly #defined = new Map<string, Entry>()
  readonly #resolved: MemoryStore<Promise<ManagedClient>>
  readonly #options: ClientRegistryOptions
  readonly #sources: TokenSources

  constructor(options: ClientRegistryOptions) {
    this.#options = options
    this.#sources = new TokenSources(options.source)
    this.#resolved = memoryStore({ maxEntries: options.resolve ? options.maxEntries : 1 })
    for (const [name, definition] of Object.entries(options.definitions)) {
      const entry = this.#entry(name, definition, options.problems)
      if (entry) this.#defined.set(name, entry)
    }
  }

  names(): string[] {
    return [...this.#defined.keys()]
  }

  /** The names of all clients that were defined or found. */
  known(): string[] {
    return [...this.names(), ...[...this.#resolved.entries()].map(([name]) => name)]
  }

  /** The client, if it is defined and nothing has to be waited for. */
  ready(name: string): ManagedClient | undefined {
    const entry = this.#defined.get(name)
    return entry instanceof Promise || typeof entry === 'function' ? undefined : entry
  }

  /** @throws UnknownClientError, or ConfigurationError when a definition that was supplied late cannot be right. */
  get(name: string): ManagedClient | Promise<ManagedClient> {
    const entry = this.#defined.get(name)
    if (entry === undefined) return this.#resolve(name)
    if (typeof entry !== 'function') return entry
    const client = entry().then((definition) => this.#configure(name, definition))
    const settle = (result: Entry) => {
      if (this.#defined.get(name) === client) this.#defined.set(name, result)
    }
    this.#defined.set(name, client)
    // A definition that could not be had is asked for again the next time.
    client.then(settle, () => settle(entry))
    return client
  }

  /** @throws ConfigurationError when the name is taken, or the definition cannot be right. */
  add(name: string, definition: ClientDefinitionSource): void {
    const problems = new Problems()
    if (this.#defined.has(name)) problems.add(name, 'name', 'is taken; removeClient frees it')
    const entry = this.#entry(name, definition, problems)
    problems.throwIfAny()
    if (entry) this.#defined.set(name, entry)
  }

  remove(name: string): boolean {
    const known = this.#defined.delete(name) || this.#resolved.get(name) !== undefined
    this.#resolved.delete(name)
    return known
  }

  #resolve(name: string): Promise<ManagedClient> {
    const known = this.#resolved.get(name)
    if (known) return known
    const { resolve } = this.#options
    if (!resolve) return Promise.reject(new UnknownClientError(name, this.names()))
    const client = (async () => {
      const definition = await resolve(name)
      if (definition === undefined || definition === null) throw new UnknownClientError(name, this.names())
      return this.#configure(name, definition)
    })()
    this.#resolved.set(name, client, Number.MAX_SAFE_INTEGER)
    client.catch(() => {
      if (this.#resolved.get(name) === client) this.#resolved.delete(name)
    })
    return client
  }

  #entry(name: string, definition: ClientDefinitionSource, problems: Problems): Entry | undefined {
    // Called late and only as an async function, whatever it is: a throw becomes the rejection of the call.
    if (typeof definition === 'function') return async () => definition()
    return this.#manage(name, definition, problems)
  }

  #configure(name: string, definition: ClientDefinition): ManagedClient {
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
    return { configuration, source: this.#sources.create(configuration, requester, definition.fetch), dpop }
  }
}
