import type { LibrdkafkaSasl } from './create-librdkafka-config'
import { presented } from './internal/presented'

/** A `Producer`, `KafkaConsumer` or `AdminClient` of `@confluentinc/kafka-javascript`. */
export interface ErrorEmitter {
  on(event: 'event.error', listener: (error: { code: number; message: string }) => void): unknown
}

/** `RD_KAFKA_RESP_ERR__AUTHENTICATION`. The client loses this code on its way, and keeps the text. */
const AUTHENTICATION_FAILED = { code: -169, text: /^(local: )?authentication failure$/i }

/**
 * Tells the token manager when a broker refuses the token of a client of librdkafka, which its token callback cannot see. Then a new
 * token is requested, as after a 401 of an API. librdkafka gets it within 25 seconds.
 *
 * @example
 * const producer = new Producer(config)
 * reportRejections(producer, config)
 *
 * @param config what `createLibrdkafkaConfig` returned
 */
export function reportRejections(emitter: ErrorEmitter, config: LibrdkafkaSasl): void {
  emitter.on('event.error', ({ code, message }) => {
    if (code !== AUTHENTICATION_FAILED.code && !AUTHENTICATION_FAILED.text.test(message)) return
    const last = presented.get(config.oauthbearer_token_refresh_cb)
    // librdkafka goes on with this token for a while. To reject it again changes nothing.
    if (last) void last.tokens.refused(last.token, 'librdkafka')
  })
}
