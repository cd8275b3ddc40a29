import { type ClientDefinitionSource, createTokenManager } from '@tokenward/core'
import { createKafkaConfig, createLibrdkafkaConfig } from '@tokenward/kafka'
import { expect, onTestFinished, test } from 'vitest'
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
    clients: { 'kafka.client': source },
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

test.each([
  ['kafka.example:9092'],
  ['127.0.0.1:9092', 'kafka.example:9092'],
  ['127.0.0.1.kafka.example:9092'],
  ['localhost.example'],
])('without TLS, no token goes to another machine (%s, %s)', async (...brokers) => {
  const { tokens, requests } = setup()
  expect(() => createKafkaConfig(tokens, 'kafka.client', { brokers })).toThrow(CLEAR)
  const addresses = { 'bootstrap.servers': brokers.join(','), 'security.protocol': 'sasl_plaintext' }
  expect(() => createLibrdkafkaConfig(tokens, 'kafka.client', addresses)).toThrow(CLEAR)
  const both = { ...addresses, 'bootstrap.servers': 'localhost:9092', 'metadata.broker.list': brokers.join(',') }
  expect(() => createLibrdkafkaConfig(tokens, 'kafka.client', both)).toThrow(CLEAR)
  const late = setup({ isLate: true })
  const { sasl } = createKafkaConfig(late.tokens, 'kafka.client', { brokers })
  const { oauthbearer_token_refresh_cb: refresh } = createLibrdkafkaConfig(late.tokens, 'kafka.client', addresses)
  expect((await errorOf(sasl.oauthBearerProvider())).message).toContain(CLEAR)
  expect((await errorOf(refresh())).message).toContain(CLEAR)
  expect(requests() + late.requests()).toBe(0)
})

test.each([['localhost:9092'], ['127.0.0.1:9092'], ['[::1]:9092'], ['LOCALHOST:9092']])(
  'without TLS, a token may go to this machine (%s)',
  async (broker) => {
    const { tokens } = setup()
    const { sasl } = createKafkaConfig(tokens, 'kafka.client', { brokers: [broker] })
    expect(await sasl.oauthBearerProvider()).toMatchObject({ value: 't1' })
  },
)

test('a broker that only the cluster names gets no token in clear either', async () => {
  const { tokens, requests } = setup()
  const { sasl } = createKafkaConfig(tokens, 'kafka.client', { brokers: ['localhost:9092'] })
  const login = { host: 'kafka-2.example', port: 9092, saslAuthenticate: async () => {} }
  const error = await errorOf(sasl.authenticationProvider(login).authenticate())
  expect(error.message).toContain('kafka-2.example:9092')
  expect(requests()).toBe(0)
})

test('brokers that a function finds are checked too', async () => {
  const { tokens, requests } = setup()
  const { sasl } = createKafkaConfig(tokens, 'kafka.client', { brokers: async () => ['kafka.example:9092'] })
  expect((await errorOf(sasl.oauthBearerProvider())).message).toContain(CLEAR)
  expect(requests()).toBe(0)
})

test('TLS, or allowInsecureRequests, allows other machines', async () => {
  const { tokens } = setup()
  const { sasl } = createKafkaConfig(tokens, 'kafka.client', { brokers: ['kafka.example:9093'], ssl: true })
  expect(await sasl.oauthBearerProvider()).toMatchObject({ value: 't1' })
  for (const isLate of [false, true]) {
    const insecure = setup({ allowInsecureRequests: true, isLate })
    const config = createKafkaConfig(insecure.tokens, 'kafka.client', { brokers: ['kafka.example:9092'] })
    expect(await config.sasl.oauthBearerProvider()).toMatchObject({ value: 't1' })
  }
})

test('a token that is bound to a key is refused, because a broker gets no proof', async () => {
  const { tokens } = setup({ dpop: true })
  const { sasl } = createKafkaConfig(tokens, 'kafka.client', { brokers: ['localhost:9092'] })
  const error = await errorOf(sasl.oauthBearerProvider())
  expect(error).toMatchObject({ code: 'invalid_configuration', problems: [{ option: 'dpop' }] })
})

test('settings that contradict the token are refused', () => {
  const { tokens } = setup()
  const config = { brokers: ['localhost:9092'], sasl: { mechanism: 'plain' } }
  expect(() => createKafkaConfig(tokens, 'kafka.client', config)).toThrow('sasl')
  const addresses = { 'bootstrap.servers': 'localhost:9092', 'security.protocol': 'ssl' }
  expect(() => createLibrdkafkaConfig(tokens, 'kafka.client', addresses)).toThrow('security.protocol')
})

test('what the caller changes later does not change which token a login gets', async () => {
  const { tokens, tenants } = setup()
  const parameters = { tenant: 'a' }
  const options = { tokenParameters: { parameters } }
  const { sasl } = createKafkaConfig(tokens, 'kafka.client', { brokers: ['localhost:9092'] }, options)
  const addresses = { 'bootstrap.servers': 'localhost:9092', 'security.protocol': 'sasl_plaintext' }
  const config = createLibrdkafkaConfig(tokens, 'kafka.client', addresses, options)
  parameters.tenant = 'b'
  await sasl.oauthBearerProvider()
  await config.oauthbearer_token_refresh_cb()
  expect(tenants).toEqual(['a'])
})
