import type { TokenParameters } from '@tokenward/core'
import type { SocketOptions } from 'amqplib'

/** How connections log in. */
export interface LoginOptions {
  /**
   * The user name that goes with the token. RabbitMQ takes the user from the token, and only logs this name. Default: the user name in
   * the URL, else the client's name.
   */
  username?: string | undefined
  /** What the token is requested with, such as `scope` or `resource`. It replaces what the client's definition says. */
  tokenParameters?: Omit<TokenParameters, 'forceRenewal'> | undefined
  /**
   * Gets each error that kept a connection from getting a new token before the old one expired: no token could be had, or the broker
   * refused the new one. It is tried again in any case. Default: the errors are only seen as events of the token manager.
   */
  onError?: ((error: unknown) => void) | undefined
}

/** Options of `connectAmqp`: those of `amqplib.connect`, and how the connection logs in. */
export interface AmqpOptions extends Omit<SocketOptions, 'credentials'>, LoginOptions {}
