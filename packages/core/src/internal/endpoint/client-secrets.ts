import { type ClientAuth, ClientSecretBasic } from 'openid-client'
import type { ClientConfiguration } from '../../client-configuration'
import type { ClientSecret } from '../../client-secret'
import type { Clock } from '../../clock'
import type { TokenRequest } from '../../token-requester'
import { CredentialUnavailable, callSupplier } from './supplied-credential'

/** The most secrets that a client may have at a time. */
export const MOST_SECRETS = 5
/** For so long, a secret that the server has refused comes after those that it may accept. */
const REFUSED_MS = 300_000

/** What this process knows about the secrets of one client. */
interface KnownSecrets {
  /** When the server refused a secret, in milliseconds of the monotonic clock. */
  readonly refusedAt: Map<string, number>
  /** The secret that the server accepted last. */
  accepted: { readonly secret: string; readonly index: number } | undefined
}

/** Remembers which secrets the servers of all clients of a requester accept. */
export class ClientSecrets {
  readonly #clock: Clock
  readonly #known = new WeakMap<ClientConfiguration, KnownSecrets>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** @param onSupplied is called with all secrets of the client, before any of them is sent */
  trial(
    client: ClientConfiguration,
    request: Pick<TokenRequest, 'signal' | 'secretRotated'>,
    onSupplied: (secrets: readonly string[]) => void,
  ): SecretTrial {
    const known = this.#known.get(client) ?? { refusedAt: new Map(), accepted: undefined }
    this.#known.set(client, known)
    return new SecretTrial({ client, request, onSupplied, known, now: this.#clock.monotonic })
  }
}

interface TrialOptions {
  readonly client: ClientConfiguration
  readonly request: Pick<TokenRequest, 'signal' | 'secretRotated'>
  readonly onSupplied: (secrets: readonly string[]) => void
  readonly known: KnownSecrets
  readonly now: () => number
}

/**
 * The secrets of one token request or revocation: one after the other until the server accepts one. A supplier is called when the
 * first request is sent, and once more when the server has refused all that it returned.
 */
export class SecretTrial {
  readonly #options: TrialOptions
  #secrets: readonly string[] = []
  #current: string | undefined
  #supplied = 0
  readonly #refused = new Set<string>()

  constructor(options: TrialOptions) {
    this.#options = options
  }

  /** Authenticates by the secret whose turn it is. openid-client waits for it, though its type says void. */
  readonly authentication: ClientAuth = async (...request) => {
    this.#current ??= await this.#supply()
    ClientSecretBasic(this.#current)(...request)
  }

  /**
   * The server has refused the secret. Whether there is another one to try.
   *
   * @throws CredentialUnavailable
   */
  async next(): Promise<boolean> {
    const { client, known, now } = this.#options
    if (this.#current === undefined) return false
    this.#refused.add(this.#current)
    known.refusedAt.set(this.#current, now())
    const untried = this.#untried()
    if (untried !== undefined) {
      this.#current = untried
      return true
    }
    if (typeof client.clientSecret !== 'function' || this.#supplied > 1) return false
    // It may have been rotated while the request was under way, so the same secret is also sent once more.
    this.#current = await this.#supply()
    return true
  }

  /** The server has accepted the secret. */
  accept(): void {
    const { request, known } = this.#options
    const secret = this.#current
    if (secret === undefined) return
    const index = this.#secrets.indexOf(secret)
    const before = known.accepted
    known.refusedAt.delete(secret)
    known.accepted = { secret, index }
    const isOther = this.#refused.size > 0 && secret !== before?.secret
    if (isOther || (before && index !== before.index)) request.secretRotated?.(index)
  }

  /** How many secrets the server has refused. */
  get refused(): number {
    return this.#refused.size
  }

  async #supply(): Promise<string> {
    const { client, request, onSupplied, known } = this.#options
    this.#supplied++
    this.#secrets = await secretsOf(client.clientSecret, request.signal)
    onSupplied(this.#secrets)
    for (const secret of known.refusedAt.keys()) {
      if (!this.#secrets.includes(secret)) known.refusedAt.delete(secret)
    }
    return this.#untried() ?? String(this.#secrets[0])
  }

  /** The secret that is tried next. Undefined when each of them was refused in this trial. */
  #untried(): string | undefined {
    const { known, now } = this.#options
    const refusedAt = (secret: string) => {
      const at = known.refusedAt.get(secret) ?? Number.NEGATIVE_INFINITY
      return now() - at < REFUSED_MS ? at : Number.NEGATIVE_INFINITY
    }
    const order = this.#secrets.filter((secret) => !this.#refused.has(secret))
    // The order of the definition is kept for those that were not refused.
    return order.sort((a, b) => (refusedAt(a) === refusedAt(b) ? 0 : refusedAt(a) - refusedAt(b)))[0]
  }
}

/** @throws CredentialUnavailable when the supplier fails, or does not return secrets. */
async function secretsOf(
  clientSecret: ClientConfiguration['clientSecret'],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const isSupplied = typeof clientSecret === 'function'
  const value: ClientSecret | undefined = isSupplied
    ? await callSupplier('clientSecret', clientSecret, signal)
    : clientSecret
  const secrets: readonly unknown[] = Array.isArray(value) ? value : [value]
  const problem = problemOf(secrets)
  if (problem !== undefined) throw new CredentialUnavailable(`the clientSecret supplier returned ${problem}`)
  return [...new Set(secrets as readonly string[])]
}

function problemOf(secrets: readonly unknown[]): string | undefined {
  if (secrets.length === 0) return 'an empty array'
  if (secrets.length > MOST_SECRETS) return `more than ${MOST_SECRETS} secrets`
  if (secrets.includes('')) return 'an empty string'
  return secrets.every((secret) => typeof secret === 'string') ? undefined : 'no string'
}
