import {
  type AccessToken,
  ConfigurationError,
  isLoopback,
  snapshotParameters,
  type TokenManager,
} from '@tokenward/core'
import type { KafkaTokenOptions } from '../options'

const MIN_VALIDITY_MS = 60_000

/** The tokens of one client for Kafka brokers. */
export class BrokerTokens<Name extends string = string> {
  readonly #tokens: TokenManager<Name>
  readonly #client: Name
  readonly #parameters: KafkaTokenOptions['tokenParameters']
  readonly #minValidityMs: number

  constructor(tokens: TokenManager<Name>, client: Name, options: KafkaTokenOptions) {
    this.#tokens = tokens
    this.#client = client
    this.#parameters = snapshotParameters(options.tokenParameters)
    this.#minValidityMs = options.minValidityMs ?? MIN_VALIDITY_MS
  }

  /** The token for a login. @throws TokenRequestError when no token can be had */
  async get(): Promise<AccessToken> {
    const token = await this.#tokens.getAccessToken(this.#client, {
      ...this.#parameters,
      minValidityMs: this.#minValidityMs,
    })
    if (token.type === 'Bearer') return token
    const message = `must not be set for Kafka: a broker takes Bearer tokens, and this one is ${token.type}`
    throw new ConfigurationError([{ client: this.#client, option: 'dpop', message }])
  }

  accepted(token: AccessToken, broker: string): void {
    this.#tokens.acceptAccessToken(token, originOf(broker))
  }

  /** A broker refused the token. @returns whether there is a new one for another login */
  async refused(token: AccessToken, broker: string): Promise<boolean> {
    try {
      const willRenew = await this.#tokens.rejectAccessToken(this.#client, token, this.#parameters, originOf(broker))
      if (!willRenew) return false
      const renewed = await this.#tokens.getAccessToken(this.#client, { ...this.#parameters, insteadOf: token })
      return renewed.value !== token.value
    } catch {
      // The token manager has reported it. The caller gets the broker's refusal.
      return false
    }
  }

  /**
   * Checks that no token would travel in clear to another machine.
   *
   * @param brokers `HOST:PORT` of each
   * @throws ConfigurationError otherwise, unless the client's definition has `allowInsecureRequests`
   */
  async checkClearText(brokers: readonly string[], option: string): Promise<void> {
    if (!brokers.some(isRemote) || this.#tokens.allowsInsecureRequests(this.#client)) return
    // A definition that is loaded late.
    await this.#tokens.waitFor({ client: this.#client, step: 'definition', run() {} })
    if (!this.#tokens.allowsInsecureRequests(this.#client)) this.#refuse(brokers, option)
  }

  /** The same, as far as it is known at once. */
  checkClearTextNow(brokers: readonly string[], option: string): void {
    if (brokers.some(isRemote) && this.#tokens.allowsInsecureRequests(this.#client) === false) {
      this.#refuse(brokers, option)
    }
  }

  #refuse(brokers: readonly string[], option: string): never {
    const message = `would send tokens in clear to ${brokers.find(isRemote)}; use TLS, or set allowInsecureRequests`
    throw new ConfigurationError([{ client: this.#client, option, message }])
  }
}

/** As what the token manager knows a broker: which tokens it accepts. */
function originOf(broker: string): string {
  return `kafka://${broker}`
}

function isRemote(broker: string): boolean {
  return !isLoopback(broker.trim().replace(/:\d*$/, ''))
}
