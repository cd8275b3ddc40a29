export { connectMqtt } from './connect-mqtt'
export type { MqttOptions } from './options'
