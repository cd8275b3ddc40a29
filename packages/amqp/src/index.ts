export { connectAmqp } from './connect-amqp'
export { type AmqpManager, type AmqpServer, type AmqpServers, createAmqpManager } from './create-amqp-manager'
export type { AmqpOptions, LoginOptions } from './options'
