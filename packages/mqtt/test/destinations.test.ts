import { type ClientDefinitionSource, createTokenManager } from '@tokenward/core'
import { connectMqtt, type MqttOptions } from '@tokenward/mqtt'
import { expect, onTestFinished, test, vi } from 'vitest'
import { errorOf } from './support'

/** A manager whose token requests are only counted: what is wrong here is found before one. The requester is a mock. */
function setup(more: { allowInsecureRequests?: boolean; isLate?: boolean; dpop?: boolean } = {}) {
  const { isLate, dpop = false, ...settings } = more
  const definition = {
    tokenEndpoint: 'https://login.example/token',
    clientId: 'a',
    clientSecret: 'b',
    dpop,
    ...settings,
  }
  const source: ClientDefinitionSource = isLate ? async () => definition : definition
  let requests = 0
  const tenants: (string | undefined)[] = []
  const token_type = dpop ? 'DPoP' : 'Bearer'
  const tokens = createTokenManager({
    clients: { 'broker.client': source },
    requester: {
      async request(_client, { parameters }) {
        tenants.push(parameters.tenant)
        return { access_token: `t${++requests}`, token_type, expires_in: 3_600 }
      },
    },
  })
  onTestFinished(() => tokens.close())
  return { tokens, tenants, requests: () => requests }
}

const CLEAR = 'would send tokens in clear to'
const WRONG: [url: string, problem: string, options?: object][] = [
  ['http://broker.example', 'must be an mqtt(s) or ws(s) URL'],
  ['broker.example', 'must be an mqtt(s) or ws(s) URL'],
  ['mqtt+unix:/run/broker.sock', 'must be an mqtt(s) or ws(s) URL'],
  ['mqtts://', 'names no host'],
  ['mqtts://worker:s3cret@broker.example', 'has a password'],
  ['mqtts://s3cret%@broker.example', 'has a user name with a %'],
  ['wss://s3cret%zz@broker.example', 'has a user name with a %'],
  ['mqtts://broker.example', 'has a password', { password: 's3cret' }],
  ['mqtts://broker.example', 'has a password', { auth: 'worker:s3cret' }],
  ['mqtt://broker.example', CLEAR],
  ['tcp://broker.example', CLEAR],
  ['ws://broker.example/mqtt', CLEAR],
  ['mqtt://127.0.0.1.broker.example', CLEAR],
  ['mqtt://localhost@broker.example', CLEAR],
  // Options of MQTT.js that win over the URL.
  ['mqtts://broker.example', CLEAR, { protocol: 'mqtt' }],
  ['mqtt://localhost', CLEAR, { host: 'broker.example' }],
  ['mqtt://localhost', CLEAR, { hostname: 'broker.example' }],
  ['mqtt://localhost', CLEAR, { socksProxy: 'socks5h://proxy.example:1080' }],
  ['mqtts://localhost', CLEAR, { servers: [{ host: 'broker.example', port: 1883, protocol: 'mqtt' }] }],
]

test.each(WRONG)('%s is refused (%s, %o), and no token is requested', async (url, message, options = {}) => {
  const { tokens, requests } = setup()
  const error = await errorOf(connectMqtt(tokens, 'broker.client', url, options as MqttOptions))
  expect(error).toMatchObject({ code: 'invalid_configuration' })
  expect(error.message).toContain(message)
  expect(error.message).not.toContain('s3cret')
  expect(requests()).toBe(0)
})

test('a SOCKS proxy of the environment gets no token in clear, and is no obstacle to TLS and WebSocket', async () => {
  vi.stubEnv('MQTTJS_SOCKS_PROXY', 'socks5h://127.0.0.1:9')
  onTestFinished(() => void vi.unstubAllEnvs())
  const { tokens, requests } = setup()
  const error = await errorOf(connectMqtt(tokens, 'broker.client', 'mqtt://localhost:9'))
  expect(error.message).toContain('in clear to localhost by a SOCKS proxy')
  expect(requests()).toBe(0)
  for (const url of ['mqtts://localhost:9', 'ws://localhost:9'])
    expect((await errorOf(connectMqtt(tokens, 'broker.client', url))).code).not.toBe('invalid_configuration')
})

test('what the caller changes while the token is requested changes nothing', async () => {
  const { tokens } = setup()
  const servers = [{ host: 'localhost', port: 9, protocol: 'mqtt' as const }]
  const connecting = errorOf(connectMqtt(tokens, 'broker.client', 'mqtt://localhost', { servers, reconnectPeriod: 0 }))
  Object.assign(servers[0] ?? {}, { host: 'broker.invalid' })
  // Nothing listens there, and broker.invalid would not be found.
  expect(await connecting).toMatchObject({ code: 'ECONNREFUSED' })
})

test('what the caller changes later does not change which token a login gets', async () => {
  const { tokens, tenants } = setup({ isLate: true, allowInsecureRequests: true })
  const parameters = { tenant: 'a' }
  const connecting = errorOf(
    connectMqtt(tokens, 'broker.client', 'mqtt://broker.invalid', { tokenParameters: { parameters } }),
  )
  parameters.tenant = 'b'
  await connecting
  expect(tenants).toEqual(['a'])
})

test('MQTT.js connects to the host that was checked, also when it would read the URL in another way', async () => {
  const { tokens } = setup()
  // Node's old `url.parse`, which MQTT.js uses, would name broker.invalid.
  const error = await errorOf(connectMqtt(tokens, 'broker.client', 'mqtt://broker.invalid\\@localhost:9'))
  expect(error.code).toBe('ECONNREFUSED')
})

test('a definition that is loaded late is waited for', async () => {
  const { tokens, requests } = setup({ isLate: true })
  const error = await errorOf(connectMqtt(tokens, 'broker.client', 'mqtt://broker.example'))
  expect(error.message).toContain(CLEAR)
  expect(requests()).toBe(0)
})

test.each([{ isLate: false }, { isLate: true }])('allowInsecureRequests allows mqtt (%o)', async ({ isLate }) => {
  const { tokens, requests } = setup({ isLate, allowInsecureRequests: true })
  // The name exists nowhere (RFC 2606).
  const error = await errorOf(connectMqtt(tokens, 'broker.client', 'mqtt://broker.invalid'))
  expect(error.code).not.toBe('invalid_configuration')
  expect(requests()).toBe(1)
})

test('a token that is bound to a key is refused, because a broker gets no proof', async () => {
  const { tokens } = setup({ dpop: true })
  const error = await errorOf(connectMqtt(tokens, 'broker.client', 'mqtt://localhost'))
  expect(error).toMatchObject({ code: 'invalid_configuration', problems: [{ option: 'dpop' }] })
})
