import { ConfigurationError, type TokenManager } from '@tokenward/core'
import { BrokerTokens } from './internal/broker-tokens'
import { confluentToken } from './internal/confluent-token'
import { presented } from './internal/presented'
import type { KafkaTokenOptions } from './options'

/** Where the brokers are, as in the configuration of librdkafka. */
export interface LibrdkafkaAddresses {
  'bootstrap.servers'?: string | undefined
  'metadata.broker.list'?: string | undefined
  'security.protocol'?: string | undefined
}

/** What logs a client of librdkafka in. */
export interface LibrdkafkaSasl {
  readonly 'sasl.mechanisms': 'OAUTHBEARER'
  readonly oauthbearer_token_refresh_cb: () => Promise<{
    readonly tokenValue: string
    readonly principal: string
    readonly lifetime: number
    readonly extensions?: Record<string, string>
  }>
}

/**
 * The configuration of a `Producer`, `KafkaConsumer` or `AdminClient` of `@confluentinc/kafka-javascript` that logs in with access
 * tokens (SASL/OAUTHBEARER, RFC 7628). librdkafka always has a current token.
 *
 * @example
 * const config = { 'bootstrap.servers': 'kafka.company.com:9093', 'security.protocol': 'sasl_ssl' } as const
 * const producer = new Producer(createLibrdkafkaConfig(tokens, 'kafka.client', config))
 *
 * @param config the configuration without its `sasl.` properties. `security.protocol` has to be `sasl_ssl`, or `sasl_plaintext`
 * @throws ConfigurationError when tokens would travel in clear to another machine
 */
export function createLibrdkafkaConfig<Name extends string, Config extends LibrdkafkaAddresses>(
  tokens: TokenManager<Name>,
  client: NoInfer<Name>,
  config: Config,
  options: KafkaTokenOptions = {},
): Config & LibrdkafkaSasl {
  const protocol = config['security.protocol']?.toLowerCase()
  if (protocol !== 'sasl_ssl' && protocol !== 'sasl_plaintext') {
    throw new ConfigurationError([{ client, option: 'security.protocol', message: 'must be sasl_ssl' }])
  }
  const own = new BrokerTokens(tokens, client, options)
  // Two names of one property: of both, librdkafka uses the one that it gets last.
  const lists = [config['bootstrap.servers'], config['metadata.broker.list']].filter((list) => list !== undefined)
  const brokers = lists.join().split(',')
  const isInClear = protocol === 'sasl_plaintext'
  if (isInClear) own.checkClearTextNow(brokers, 'security.protocol')
  async function refresh() {
    if (isInClear) await own.checkClearText(brokers, 'security.protocol')
    const token = await own.get()
    presented.set(refresh, { tokens: own, token })
    const { value: tokenValue, ...rest } = confluentToken(token, client, options)
    return { tokenValue, ...rest }
  }
  return { ...config, 'sasl.mechanisms': 'OAUTHBEARER', oauthbearer_token_refresh_cb: refresh }
}
