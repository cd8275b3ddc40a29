import { createKafkaConfig, createLibrdkafkaConfig, type ErrorEmitter, reportRejections } from '@tokenward/kafka'
import { until } from '@tokenward/local-servers'
import { describe, expect, onTestFinished, test } from 'vitest'
import { kafkaTokens, revoke, startKafka } from './support'

// Its binary is downloaded from GitHub by an install script, which this repository does not run.
const confluent = await import('@confluentinc/kafka-javascript').catch(() => undefined)
if (!confluent) {
  const reason = '@confluentinc/kafka-javascript has no binary here. Run `pnpm rebuild` for it to get one.'
  process.stderr.write(`\nTESTS THAT NEED THE CONFLUENT CLIENT ARE SKIPPED: ${reason}\n\n`)
}

/** A producer with the API of KafkaJS. It disconnects with the test. */
function producerFor(address: string, tokens: ReturnType<typeof kafkaTokens>) {
  if (!confluent) throw new Error('there is no Confluent client')
  const { Kafka, logLevel } = confluent.KafkaJS
  const config = { brokers: [address], logLevel: logLevel.NOTHING }
  const kafkaJS = createKafkaConfig(tokens, 'kafka.client', config)
  const producer = new Kafka({ kafkaJS }).producer()
  onTestFinished(() => producer.disconnect())
  return { producer, send: () => producer.send({ topic: 'invoices', messages: [{ value: 'paid' }] }) }
}

describe.runIf(confluent)("the Confluent client's API of KafkaJS", () => {
  test('a producer logs in with the token', async () => {
    const { provider, broker } = await startKafka()
    const { producer, send } = producerFor(broker.address, kafkaTokens(provider))
    await producer.connect()
    await send()
    expect(broker.batches).toBe(1)
    expect(broker.authentications.every(({ accepted }) => accepted)).toBe(true)
    expect(provider.tokenRequests).toHaveLength(1)
  })

  test('messages are sent long after the first token has expired', async () => {
    const { provider, broker } = await startKafka({ tokenLifetimeSeconds: 8 })
    const tokens = kafkaTokens(provider)
    const { producer, send } = producerFor(broker.address, tokens)
    await producer.connect()
    const { expiresAt } = await tokens.getAccessToken('kafka.client')
    // Real time, because the authorization server has the real clock.
    while (Date.now() < Number(expiresAt) + 2_000) await send()
    expect(new Set(broker.authentications.map(({ token }) => token)).size).toBeGreaterThan(1)
    expect(broker.authentications.every(({ accepted }) => accepted)).toBe(true)
  })
})

describe.runIf(confluent)('a producer of librdkafka', () => {
  test('a token that was revoked is replaced by one new token, and the messages arrive', async () => {
    const { provider, broker } = await startKafka()
    const tokens = kafkaTokens(provider)
    const settings = {
      'bootstrap.servers': broker.address,
      'security.protocol': 'sasl_plaintext',
      dr_cb: true,
    } as const
    const config = createLibrdkafkaConfig(tokens, 'kafka.client', settings)
    if (!confluent) throw new Error('there is no Confluent client')
    const { Producer } = confluent
    const producer = new Producer(config)
    reportRejections(producer, config)
    let delivered = 0
    producer.on('delivery-report', (error) => {
      if (!error) delivered++
    })
    producer.setPollInterval(50)
    onTestFinished(() => new Promise<void>((resolve) => producer.disconnect(() => resolve())))
    await new Promise<void>((resolve, reject) =>
      producer.connect(undefined, (error) => (error ? reject(error) : resolve())),
    )
    await revoke(provider, (await tokens.getAccessToken('kafka.client')).value)
    broker.dropConnections()
    producer.produce('invoices', 0, Buffer.from('paid'))
    await until('the message is delivered', async () => delivered === 1)
    expect(broker.authentications.some(({ accepted }) => !accepted)).toBe(true)
    expect(provider.tokenRequests).toHaveLength(2)
  })
})

test('an authentication failure of librdkafka rejects the token that it presents, and no other one', async () => {
  const { provider } = await startKafka()
  const tokens = kafkaTokens(provider)
  const addresses = { 'bootstrap.servers': '127.0.0.1:9092', 'security.protocol': 'sasl_plaintext' } as const
  const config = createLibrdkafkaConfig(tokens, 'kafka.client', addresses)
  // Stands in for a producer. These are the events that a real one emitted.
  let emit = (_error: { code: number; message: string }) => {}
  const producer: ErrorEmitter = {
    on(_event, listener) {
      emit = listener
    },
  }
  reportRejections(producer, config)
  const failure = { code: -1, message: 'authentication failure' }
  emit(failure)
  const first = await config.oauthbearer_token_refresh_cb()
  emit({ code: -1, message: 'all broker connections are down' })
  expect((await tokens.getAccessToken('kafka.client')).value).toBe(first.tokenValue)
  emit(failure)
  await until('there is a new token', async () => provider.tokenRequests.length === 2)
  emit(failure)
  emit(failure)
  const second = await config.oauthbearer_token_refresh_cb()
  expect(second.tokenValue).not.toBe(first.tokenValue)
  expect(provider.tokenRequests).toHaveLength(2)
})

// What the client's own types and documentation demand, also where its binary is missing.
test('a token has the principal, and a lifetime in milliseconds since 1970 that makes the client ask again', async () => {
  const { provider } = await startKafka({ tokenLifetimeSeconds: 3_600 })
  const tokens = kafkaTokens(provider)
  const { value } = await tokens.getAccessToken('kafka.client')
  const options = { principal: 'invoice-worker', extensions: { logicalCluster: 'lkc-1' } }
  const { sasl } = createKafkaConfig(tokens, 'kafka.client', { brokers: ['127.0.0.1:9092'] }, options)
  const provided = await sasl.oauthBearerProvider()
  expect(provided).toEqual({ ...options, value, lifetime: expect.any(Number) })
  expect(provided.lifetime - Date.now()).toBeGreaterThan(0)
  expect(provided.lifetime - Date.now()).toBeLessThanOrEqual(30_000)
  const addresses = { 'bootstrap.servers': '127.0.0.1:9092', 'security.protocol': 'sasl_plaintext' } as const
  const { oauthbearer_token_refresh_cb: refresh } = createLibrdkafkaConfig(tokens, 'kafka.client', addresses)
  expect(await refresh()).toEqual({ tokenValue: value, principal: 'kafka.client', lifetime: expect.any(Number) })
})

test('a lifetime is never longer than that of the token', async () => {
  const { provider } = await startKafka({ tokenLifetimeSeconds: 5 })
  const tokens = kafkaTokens(provider)
  const { sasl } = createKafkaConfig(tokens, 'kafka.client', { brokers: ['127.0.0.1:9092'] })
  const { expiresAt } = await tokens.getAccessToken('kafka.client')
  expect((await sasl.oauthBearerProvider()).lifetime).toBe(expiresAt?.getTime())
})
