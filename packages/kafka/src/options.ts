import type { TokenParameters } from '@tokenward/core'

/** How Kafka clients log in. */
export interface KafkaTokenOptions {
  /** What the token is requested with, such as `scope` or `resource`. It replaces what the client's definition says. */
  tokenParameters?: Omit<TokenParameters, 'forceRenewal' | 'minValidityMs'> | undefined
  /**
   * How long a token must still be valid for a login, in milliseconds. A session of a broker ends with its token (KIP-368), and KafkaJS
   * logs in again 10 s before. Where no token lives that long, one that has 80 % of its lifetime left is enough. Default 60,000.
   */
  minValidityMs?: number | undefined
  /** SASL extensions (KIP-342), such as `logicalCluster` and `identityPoolId` of Confluent Cloud. Default: none. */
  extensions?: Readonly<Record<string, string>> | undefined
  /**
   * The name that the Confluent client logs for the token. Brokers take the principal from the token itself. Default: the client's name.
   */
  principal?: string | undefined
}
