import { type AccessToken, ConfigurationError, type TokenManager, TokenRequestError } from '@tokenward/core'
import { BrokerTokens } from './internal/broker-tokens'
import { type ConfluentToken, confluentToken } from './internal/confluent-token'
import { challengeOf, initialResponse, isRefusal } from './internal/oauthbearer'
import { KafkaAuthenticationError } from './kafka-authentication-error'
import type { KafkaTokenOptions } from './options'

/** Where the brokers are, as in the configuration of KafkaJS. */
export interface KafkaAddresses {
  /** `HOST:PORT` of each, or a function that finds them. */
  brokers: readonly string[] | (() => readonly string[] | Promise<readonly string[]>)
  ssl?: unknown
}

/** The `sasl` of a configuration. KafkaJS uses `authenticationProvider`, and the Confluent client `oauthBearerProvider`. */
export interface KafkaSasl {
  readonly mechanism: 'oauthbearer'
  readonly authenticationProvider: (login: KafkaLogin) => { authenticate(): Promise<void> }
  readonly oauthBearerProvider: () => Promise<ConfluentToken>
}

/** What KafkaJS passes for each login. */
interface KafkaLogin {
  readonly host: string
  readonly port: number
  saslAuthenticate<Parsed>(exchange: {
    request: { encode(): Buffer | Promise<Buffer> }
    response?: { decode(raw: Buffer): Buffer | Promise<Buffer>; parse(data: Buffer): Parsed }
    // biome-ignore lint/suspicious/noConfusingVoidType: KafkaJS's own type
  }): Promise<Parsed | void>
}

/**
 * The configuration of a Kafka client that logs in with access tokens (SASL/OAUTHBEARER, RFC 7628). Each login has a current token.
 * It works with KafkaJS, and with the `kafkaJS` block of `@confluentinc/kafka-javascript`.
 *
 * With KafkaJS, a token that a broker refuses is replaced, and the login tried once more.
 *
 * @example
 * const kafka = new Kafka(createKafkaConfig(tokens, 'kafka.client', { brokers: ['kafka.company.com:9093'], ssl: true }))
 *
 * @param config the configuration without `sasl`
 * @throws ConfigurationError when tokens would travel in clear to another machine: without `ssl`
 */
export function createKafkaConfig<Name extends string, Config extends KafkaAddresses>(
  tokens: TokenManager<Name>,
  client: NoInfer<Name>,
  config: Config,
  options: KafkaTokenOptions = {},
): Config & { sasl: KafkaSasl } {
  if ('sasl' in config) throw new ConfigurationError([{ client, option: 'sasl', message: 'remove it: it is set here' }])
  const own = new BrokerTokens(tokens, client, options)
  const { brokers } = config
  const isInClear = !config.ssl
  if (isInClear && typeof brokers !== 'function') own.checkClearTextNow(brokers, 'ssl')

  async function authenticate({ host, port, saslAuthenticate }: KafkaLogin): Promise<void> {
    const broker = `${host}:${port}`
    // A cluster names brokers that the configuration does not.
    if (isInClear) await own.checkClearText([broker], 'ssl')
    const token = await own.get().catch((cause) => {
      if (!(cause instanceof TokenRequestError)) throw cause
      throw new KafkaAuthenticationError(client, broker, cause.message, { retriable: cause.retryable, cause })
    })
    const failure = await login(token)
    if (!failure) return own.accepted(token, broker)
    const message = `the broker ${broker} refuses the token of client '${client}' (${failure})`
    throw new KafkaAuthenticationError(client, broker, message, { retriable: await own.refused(token, broker) })

    /** @returns why the broker refused the token. Undefined: it did not. */
    async function login({ value }: AccessToken): Promise<string | undefined> {
      const request = { encode: () => initialResponse(value, options.extensions) }
      try {
        const challenge = await saslAuthenticate({ request, response: { decode: (raw) => raw, parse: challengeOf } })
        return challenge || undefined
      } catch (error) {
        if (isRefusal(error)) return 'SASL_AUTHENTICATION_FAILED'
        throw error
      }
    }
  }

  return {
    ...config,
    sasl: {
      mechanism: 'oauthbearer',
      authenticationProvider: (login) => ({ authenticate: () => authenticate(login) }),
      async oauthBearerProvider() {
        if (isInClear) await own.checkClearText(typeof brokers === 'function' ? await brokers() : brokers, 'ssl')
        return confluentToken(await own.get(), client, options)
      },
    },
  }
}
