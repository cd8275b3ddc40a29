import type { TokenParameters } from '@tokenward/core'
import type { IClientOptions } from 'mqtt'

/** Options of `connectMqtt`: those of `mqtt.connect`, and how the client logs in. */
export interface MqttOptions extends Omit<IClientOptions, 'password' | 'manualConnect' | 'auth'> {
  /** The user name that goes with the token. Brokers take the user from the token. Default: the one in the URL, else the client's name. */
  username?: string
  /** What the token is requested with, such as `scope` or `resource`. It replaces what the client's definition says. */
  tokenParameters?: Omit<TokenParameters, 'forceRenewal'> | undefined
  /**
   * Whether the client connects again with each new token, before the broker ends the connection because the old one has expired. Set
   * it to false for a broker that looks at a token only when a client connects. Default true.
   */
  reconnectBeforeExpiry?: boolean | undefined
  /** Gets each error that kept a new token from being had. It is tried again in any case. Default: they are only seen as events. */
  onError?: ((error: unknown) => void) | undefined
}
