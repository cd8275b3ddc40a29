export { connectWebSocket } from './connect-web-socket'
export type { WebSocketOptions } from './options'
export { WebSocketUpgradeError } from './web-socket-upgrade-error'
