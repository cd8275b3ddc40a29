import type { TokenManager } from '@tokenward/core'
import { connect, type IClientOptions, type MqttClient } from 'mqtt'
import { readAddress } from './internal/broker-address'
import { BrokerLogin } from './internal/broker-login'
import type { MqttOptions } from './options'

/**
 * Connects to a broker as `mqtt.connectAsync` does, with an access token as the password. Each connection has the newest token, and the
 * client connects again before that token expires, because MQTT has no other way to renew a password. When the broker refuses the token,
 * one new token is requested, and the client connects once more.
 *
 * @example
 * const client = await connectMqtt(tokens, 'broker.client', 'mqtts://broker.company.com')
 *
 * @param url as `mqtt.connectAsync` takes it, without a password
 * @param options those of `mqtt.connectAsync`, and how the client logs in
 * @returns the client, when it is connected
 * @throws ConfigurationError when the URL is wrong, there is a password, or the token would travel in clear
 * @throws TokenRequestError when no token can be had
 * @throws Error of MQTT.js when the client cannot connect, or the broker refuses a new token too
 */
export async function connectMqtt<Name extends string>(
  tokens: TokenManager<Name>,
  client: NoInfer<Name>,
  url: string | URL,
  options: MqttOptions = {},
): Promise<MqttClient> {
  // The caller may change its objects while the token is requested.
  const own = { ...options, ...(options.servers && { servers: options.servers.map((server) => ({ ...server })) }) }
  const { tokenParameters, reconnectBeforeExpiry, onError, ...mqttOptions } = own
  const address = readAddress(client, url, own)
  const login = new BrokerLogin<Name>(tokens, client, address, { tokenParameters, reconnectBeforeExpiry, onError })
  await login.prepare()
  const username = own.username ?? address.username ?? client
  const all = { ...address.options, ...mqttOptions, username } as IClientOptions
  // MQTT.js reads it for each connection. So the options hold no token.
  Object.defineProperty(all, 'password', { get: () => login.password() })
  return new Promise((resolve, reject) => {
    const mqttClient = connect(all)
    let isConnected = false
    login.attach(mqttClient, (error) => {
      if (isConnected) return
      mqttClient.end(true)
      reject(error)
    })
    mqttClient.once('connect', () => {
      isConnected = true
      resolve(mqttClient)
    })
  })
}
