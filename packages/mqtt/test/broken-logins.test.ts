import { createServer, type Socket } from 'node:net'
import { createTokenManager } from '@tokenward/core'
import { connectMqtt, type MqttOptions } from '@tokenward/mqtt'
import { expect, onTestFinished, test } from 'vitest'
import { errorOf } from './support'

const NOT_AUTHORIZED = Buffer.of(0x20, 2, 0, 5)

/** What a broker does with the n-th connection that has sent its CONNECT packet. */
type Respond = (socket: Socket, number: number) => void

/** Connects to a mock of a broker, because a real one does not break its logins off. The requester is a mock too. */
async function connectTo(respond: Respond, options: MqttOptions) {
  let connections = 0
  const server = createServer((socket) => {
    socket.once('data', () => respond(socket, ++connections)).on('error', () => {})
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  let requests = 0
  const request = async () => ({ access_token: `t${++requests}`, token_type: 'Bearer', expires_in: 3_600 })
  const definition = { tokenEndpoint: 'https://login.example/token', clientId: 'a', clientSecret: 'b' }
  const tokens = createTokenManager({ clients: { c: definition }, requester: { request } })
  onTestFinished(async () => {
    await tokens.close()
    server.close()
  })
  const { port } = server.address() as { port: number }
  const error = await errorOf(connectMqtt(tokens, 'c', `mqtt://127.0.0.1:${port}`, options))
  return { error, connections, requests }
}

const CLOSED = 'the broker closed the connection before it accepted the login'

test('a broker that closes the connection during the login: an error, when MQTT.js does not connect again', async () => {
  const { error, connections } = await connectTo((socket) => socket.end(), { reconnectPeriod: 0 })
  expect(error.message).toBe(CLOSED)
  expect(connections).toBe(1)
})

test.each([false, true])(
  'a broker that refuses the token, and closes the connection when the new one comes (reconnectOnConnackError: %s)',
  async (reconnectOnConnackError) => {
    const respond: Respond = (socket, number) => (number === 1 ? socket.end(NOT_AUTHORIZED) : socket.end())
    const { error, connections, requests } = await connectTo(respond, { reconnectPeriod: 0, reconnectOnConnackError })
    expect(error.message).toBe(CLOSED)
    expect([connections, requests]).toEqual([2, 2])
  },
)

test('a broker that refuses every token without reconnections: its refusal, after one new token', async () => {
  const { error, requests } = await connectTo((socket) => socket.end(NOT_AUTHORIZED), { reconnectPeriod: 0 })
  expect(error.message).toMatch(/^Connection refused/)
  expect(requests).toBe(2)
})

test('a broker that closes the connection during the first login is tried again by MQTT.js', async () => {
  const respond: Respond = (socket, number) => (number < 3 ? socket.end() : socket.end(NOT_AUTHORIZED))
  const { error, connections } = await connectTo(respond, { reconnectPeriod: 10 })
  expect(error.message).toMatch(/^Connection refused/)
  expect(connections).toBe(4)
})
