import { TokenwardError } from '@tokenward/core'

/** A login at a Kafka broker failed: the broker refused the token, or no token could be had. */
export class KafkaAuthenticationError extends TokenwardError {
  readonly code = 'kafka_authentication_failed'
  /** The client's name. */
  readonly client: string
  /** `HOST:PORT` */
  readonly broker: string
  /** Whether KafkaJS tries again: there is a new token, or the token endpoint may work soon. */
  readonly retriable: boolean
  /** KafkaJS opens a new connection for `ILLEGAL_SASL_STATE`. The old one cannot be used for another login. */
  readonly type: 'ILLEGAL_SASL_STATE' | 'SASL_AUTHENTICATION_FAILED'

  constructor(client: string, broker: string, message: string, options: { retriable: boolean; cause?: unknown }) {
    super(message)
    if (options.cause !== undefined) this.cause = options.cause
    this.client = client
    this.broker = broker
    this.retriable = options.retriable
    this.type = options.retriable ? 'ILLEGAL_SASL_STATE' : 'SASL_AUTHENTICATION_FAILED'
  }
}
