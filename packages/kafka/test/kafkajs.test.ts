import { inspect } from 'node:util'
import { createKafkaConfig, type KafkaTokenOptions } from '@tokenward/kafka'
import { until } from '@tokenward/local-servers'
import { Kafka, type KafkaConfig, logLevel } from 'kafkajs'
import { expect, onTestFinished, test } from 'vitest'
import { startKafkaBroker } from './kafka-broker'
import { errorOf, kafkaTokens, revoke, startKafka } from './support'

type Setup = Awaited<ReturnType<typeof startKafka>>

/** A producer of KafkaJS. It disconnects with the test. */
function producerFor(
  { broker }: Setup,
  tokens: ReturnType<typeof kafkaTokens>,
  options: KafkaTokenOptions = {},
  config: Partial<KafkaConfig> = {},
) {
  const settings = { brokers: [broker.address], logLevel: logLevel.NOTHING, retry: { initialRetryTime: 20 }, ...config }
  const kafka = new Kafka(createKafkaConfig(tokens, 'kafka.client', settings, options))
  const producer = kafka.producer({ createPartitioner: () => () => 0 })
  onTestFinished(() => producer.disconnect())
  return { producer, send: () => producer.send({ topic: 'invoices', messages: [{ value: 'paid' }] }) }
}

test('a producer logs in with the token, and all its connections share it', async () => {
  const kafka = await startKafka()
  const tokens = kafkaTokens(kafka.provider)
  const producers = Array.from({ length: 10 }, () => producerFor(kafka, tokens))
  await Promise.all(producers.map(({ producer }) => producer.connect()))
  await Promise.all(producers.map(({ send }) => send()))
  expect(kafka.broker.batches).toBe(10)
  expect(new Set(kafka.broker.authentications.map(({ token }) => token)).size).toBe(1)
  expect(kafka.provider.tokenRequests).toHaveLength(1)
})

test('messages are sent long after the first token has expired: KafkaJS logs in again with a new one', async () => {
  const kafka = await startKafka({ tokenLifetimeSeconds: 4 })
  const tokens = kafkaTokens(kafka.provider)
  const { producer, send } = producerFor(kafka, tokens, {}, { reauthenticationThreshold: 1_000 })
  await producer.connect()
  const { expiresAt } = await tokens.getAccessToken('kafka.client')
  // Real time, because the authorization server has the real clock.
  while (Date.now() < Number(expiresAt) + 2_000) await send()
  expect(kafka.broker.expired).toBe(0)
  const again = kafka.broker.authentications.filter((each) => each.again)
  expect(again.length).toBeGreaterThan(0)
  expect(kafka.broker.authentications.every(({ accepted }) => accepted)).toBe(true)
})

test('without a new token, the broker ends the session', async () => {
  const kafka = await startKafka({ tokenLifetimeSeconds: 1 })
  const { value } = await kafkaTokens(kafka.provider).getAccessToken('kafka.client')
  const client = new Kafka({
    brokers: [kafka.broker.address],
    logLevel: logLevel.NOTHING,
    retry: { retries: 1, initialRetryTime: 20 },
    sasl: { mechanism: 'oauthbearer', oauthBearerProvider: async () => ({ value }) },
  })
  const producer = client.producer({ createPartitioner: () => () => 0 })
  onTestFinished(() => producer.disconnect())
  await producer.connect()
  let failure: unknown
  await until('it fails', async () => {
    await producer.send({ topic: 'invoices', messages: [{ value: 'paid' }] }).catch((error) => {
      failure = error
    })
    return failure !== undefined
  })
  expect(kafka.broker.authentications.some(({ accepted }) => !accepted)).toBe(true)
})

test('after a revocation, the next logins have one new token, and no call fails', async () => {
  const kafka = await startKafka()
  const tokens = kafkaTokens(kafka.provider)
  const before = producerFor(kafka, tokens)
  await before.producer.connect()
  await before.send()
  await revoke(kafka.provider, (await tokens.getAccessToken('kafka.client')).value)
  kafka.broker.dropConnections()
  const producers = [before, ...Array.from({ length: 9 }, () => producerFor(kafka, tokens))]
  await Promise.all(producers.map(({ producer }) => producer.connect()))
  await Promise.all(producers.map(({ send }) => send()))
  expect(kafka.provider.tokenRequests).toHaveLength(2)
  expect(kafka.broker.batches).toBe(11)
})

test('a broker that refuses every token: an error that names it, after one new token', async () => {
  const provider = (await startKafka()).provider
  const broker = await startKafkaBroker(async () => undefined)
  const tokens = kafkaTokens(provider)
  const { producer } = producerFor({ provider, broker }, tokens)
  const error = await errorOf(producer.connect())
  expect(error.message).toBe(`the broker ${broker.address} refuses the token of client 'kafka.client' (invalid_token)`)
  expect(error).toMatchObject({ code: 'kafka_authentication_failed', retriable: false })
  const values = new Set(broker.authentications.map(({ token }) => token))
  expect(values.size).toBe(2)
  for (const value of values) expect(inspect(error, { depth: 20, showHidden: true })).not.toContain(value)
  // Further attempts do not each request a token.
  await errorOf(producer.connect())
  await errorOf(producer.connect())
  expect(provider.tokenRequests.length).toBeLessThan(4)
})

test('no token can be had: the error says so, and the broker gets none', async () => {
  const kafka = await startKafka()
  const tokens = kafkaTokens(kafka.provider)
  kafka.provider.tokenEndpointFaults.fail(Number.POSITIVE_INFINITY, { status: 400, body: { error: 'invalid_client' } })
  const { producer } = producerFor(kafka, tokens)
  const error = await errorOf(producer.connect())
  expect(error).toMatchObject({ code: 'kafka_authentication_failed', cause: { error: 'invalid_client' } })
  expect(kafka.broker.authentications).toEqual([])
})

test('KafkaJS tries again while the token endpoint has a passing fault', async () => {
  const kafka = await startKafka()
  const tokens = kafkaTokens(kafka.provider)
  // More than the token manager tries for one call.
  kafka.provider.tokenEndpointFaults.fail(4, { status: 503 })
  const { producer, send } = producerFor(kafka, tokens, {}, { retry: { initialRetryTime: 300, retries: 10 } })
  await producer.connect()
  await send()
  expect(kafka.broker.batches).toBe(1)
})

test('extensions go with the token', async () => {
  const kafka = await startKafka()
  const options = { extensions: { logicalCluster: 'lkc-1', identityPoolId: 'pool-2' } }
  const { producer } = producerFor(kafka, kafkaTokens(kafka.provider), options)
  await producer.connect()
  expect(kafka.broker.authentications[0]).toMatchObject({
    accepted: true,
    extensions: ['logicalCluster=lkc-1', 'identityPoolId=pool-2'],
  })
})
