import { type MemoryStore, memoryStore } from '@tokenward/store-memory'
import type { ClientConfiguration } from '../../client-configuration'
import type { RequestedToken } from '../../token-requester'
import { sha256 } from '../util/sha256'
import { readJwt } from './read-jwt'
import { suppliedCredential } from './supplied-credential'

/** The most identities that one requester remembers. */
const MOST_IDENTITIES = 1_000
const FOREVER_MS = Number.MAX_SAFE_INTEGER
/** How long a failure is remembered, so that a loop does not call the supplier all the time. */
const FAILURE_MS = 500

/** What a supplier is told when it is called for the identity. */
export interface IdentityContext {
  readonly client: string
  readonly audience: string
  readonly parameters: Readonly<Record<string, string>>
}

/**
 * Tells whom a credential is about, without the credential: the key of a token is made of it. A supplier is called once for
 * each client and parameters, and what it returned stands for all that it will return for them.
 */
export class CredentialIdentities {
  readonly #numbers = new WeakMap<ClientConfiguration, number>()
  #clients = 0
  #remembered: MemoryStore<Promise<string>> | undefined

  /** @throws CredentialUnavailable when the supplier fails. It is called again after 0.5 s. */
  of(
    option: string,
    credential: string | ((context: IdentityContext) => string | Promise<string>),
    client: ClientConfiguration,
    { parameters }: Pick<RequestedToken, 'parameters'>,
  ): Promise<string> {
    // A text is what the definition says: any change of it is another definition.
    if (typeof credential === 'string') return sha256(credential)
    this.#remembered ??= memoryStore({ maxEntries: MOST_IDENTITIES })
    const remembered = this.#remembered
    const key = JSON.stringify([option, this.#numberOf(client), Object.entries(parameters).sort()])
    const known = remembered.get(key)
    if (known) return known
    const { name, issuer, tokenEndpoint = '' } = client
    const context = { client: name, audience: issuer ?? tokenEndpoint, parameters }
    const identity = suppliedCredential(option, credential, undefined, context).then(identityOf)
    // A supplier that never returns is called again when its callers have given up.
    remembered.set(key, identity, client.timeoutMs)
    identity.then(
      () => remembered.set(key, identity, FOREVER_MS),
      () => remembered.set(key, identity, FAILURE_MS),
    )
    return identity
  }

  #numberOf(client: ClientConfiguration): number {
    const number = this.#numbers.get(client) ?? ++this.#clients
    this.#numbers.set(client, number)
    return number
  }
}

/** Issuer and subject of a JWT, because the next JWT about the same subject has another text; else a SHA-256. */
async function identityOf(credential: string): Promise<string> {
  const { iss, sub, act } = readJwt(credential)?.claims ?? {}
  if (typeof iss !== 'string' || typeof sub !== 'string') return sha256(credential)
  return sha256(JSON.stringify([iss, sub, act ?? null]))
}
