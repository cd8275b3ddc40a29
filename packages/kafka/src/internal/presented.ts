import type { AccessToken } from '@tokenward/core'
import type { BrokerTokens } from './broker-tokens'

/** A token that librdkafka presents to brokers. */
interface PresentedToken {
  readonly tokens: Pick<BrokerTokens, 'refused'>
  readonly token: AccessToken
}

/** The last token that each token callback has returned. The key is the callback, which a copy of the configuration keeps. */
export const presented = new WeakMap<object, PresentedToken>()
