import { randomUUID } from 'node:crypto'
import { inspect } from 'node:util'
import { startFaultProxy, until } from '@tokenward/local-servers'
import { connectMqtt, type MqttOptions } from '@tokenward/mqtt'
import { OPAQUE_RABBIT, useRabbit, watchedProxy } from '@tokenward/test-support'
import { connectAsync, type MqttClient } from 'mqtt'
import { describe, expect, onTestFinished, test } from 'vitest'
import { errorOf, hasRabbit } from './support'

/** Ends a client with the test. Returns the errors that it emits. */
function watch(client: MqttClient): Error[] {
  const errors: Error[] = []
  client.on('error', (error) => errors.push(error))
  onTestFinished(async () => {
    if (!client.disconnected) await client.endAsync(true)
  })
  return errors
}

/** A session that the broker keeps. Without one, what is published while a client is offline is lost to it, tokens or not. */
const session = () => ({ clean: false, clientId: randomUUID() })

/** Publishes messages to itself. */
async function messenger(client: MqttClient, topic: string) {
  const received: string[] = []
  client.on('message', (_topic, message) => received.push(message.toString()))
  await client.subscribeAsync(topic, { qos: 1 })
  const sent: string[] = []
  return {
    async exchange() {
      const text = `message ${sent.length + 1}`
      sent.push(text)
      await client.publishAsync(topic, text, { qos: 1 })
      await until('the message is received', async () => received.includes(text))
    },
    sent,
    received,
  }
}

describe.runIf(hasRabbit)('a client of MQTT.js, and RabbitMQ', () => {
  const rabbit = useRabbit({ mqtt: true })
  const url = () => `mqtt://127.0.0.1:${rabbit.ports().mqtt}`

  async function connect(tokens: ReturnType<typeof rabbit.tokens>, options: MqttOptions = {}) {
    const client = await connectMqtt(tokens, 'broker.client', url(), options)
    return { client, errors: watch(client) }
  }

  test('messages are sent and received long after the first token has expired', async () => {
    // A JWT has whole seconds only. A shorter one could expire before it is renewed.
    const tokens = rabbit.tokens({ lifetimeSeconds: 8 })
    const { client, errors } = await connect(tokens, session())
    let reconnections = 0
    client.on('connect', () => reconnections++)
    const messages = await messenger(client, 'expiry')
    const { expiresAt } = await tokens.getAccessToken('broker.client')
    // Real time, because RabbitMQ and the authorization server have the real clock.
    while (Date.now() < Number(expiresAt) + 2_000) await messages.exchange()
    // RabbitMQ checks the token of each new subscription.
    await client.subscribeAsync(randomUUID())
    expect(reconnections).toBeGreaterThan(0)
    expect(new Set(messages.received)).toEqual(new Set(messages.sent))
    expect(errors).toEqual([])
  })

  test('without the package, the broker ends the connection at a subscription after the expiry, and refuses the next one', async () => {
    const tokens = rabbit.tokens({ lifetimeSeconds: 2 })
    const { value } = await tokens.getAccessToken('broker.client')
    const client = await connectAsync(url(), { username: 'worker', password: value, reconnectPeriod: 50 })
    const errors = watch(client)
    await until('the broker refuses', async () => {
      if (client.connected) client.subscribe(randomUUID(), () => {})
      return errors.length > 0
    })
    expect(errors[0]?.message).toMatch(/Connection refused/)
  })

  test('a new connection for a new token does not publish the will', async () => {
    const tokens = rabbit.tokens({ lifetimeSeconds: 3 })
    const observer = await connect(tokens, session())
    const wills: string[] = []
    observer.client.on('message', (_topic, message) => wills.push(message.toString()))
    await observer.client.subscribeAsync('wills', { qos: 1 })
    const { client } = await connect(tokens, { will: { topic: 'wills', payload: Buffer.from('gone'), qos: 1 } })
    let reconnections = 0
    client.on('connect', () => reconnections++)
    await until('it has connected again twice', async () => reconnections >= 2)
    expect(wills).toEqual([])
    // The will itself works.
    client.stream.destroy()
    await until('the will is published', async () => wills.length > 0)
  })

  test('a token that was revoked while the client was offline is replaced by one new token', async () => {
    const tokens = rabbit.tokens({ resource: OPAQUE_RABBIT })
    const proxy = await startFaultProxy(rabbit.ports().mqtt)
    onTestFinished(() => proxy.close())
    const options = { ...session(), reconnectPeriod: 50 }
    const client = await connectMqtt(tokens, 'broker.client', `mqtt://127.0.0.1:${proxy.port}`, options)
    const errors = watch(client)
    const messages = await messenger(client, 'revoked')
    await messages.exchange()
    await rabbit.revoke((await tokens.getAccessToken('broker.client')).value)
    await proxy.refuse()
    await until('the connection is lost', async () => !client.connected)
    await proxy.heal()
    await messages.exchange()
    expect(errors.some(({ message }) => message.startsWith('Connection refused'))).toBe(true)
    expect(rabbit.provider().tokenRequests).toHaveLength(2)
  })

  test('a client whose definition was removed comes back with the token that it has, and onError says why it gets no other', async () => {
    const tokens = rabbit.tokens()
    const proxy = await startFaultProxy(rabbit.ports().mqtt)
    onTestFinished(() => proxy.close())
    const problems: unknown[] = []
    const options = { ...session(), reconnectPeriod: 50, onError: (error: unknown) => problems.push(error) }
    const client = await connectMqtt(tokens, 'broker.client', `mqtt://127.0.0.1:${proxy.port}`, options)
    watch(client)
    const messages = await messenger(client, 'removed')
    await messages.exchange()
    tokens.removeClient('broker.client')
    await proxy.refuse()
    await until('the connection is lost', async () => !client.connected)
    await proxy.heal()
    await messages.exchange()
    expect(problems).toContainEqual(expect.objectContaining({ code: 'unknown_client' }))
  })

  test('a manager that is closed during the login: an error, and no connection stays open', async () => {
    const tokens = rabbit.tokens()
    // The first bytes are the CONNECT packet.
    const { port, open } = await watchedProxy(rabbit.ports().mqtt, () => void tokens.close())
    const error = await errorOf(connectMqtt(tokens, 'broker.client', `mqtt://127.0.0.1:${port}`))
    expect(error).toMatchObject({ code: 'token_request_failed', error: 'closed' })
    await until('the connection is closed', async () => open.size === 0)
  })

  test('a first login that is refused is tried once more with a new token, by all clients with the same one', async () => {
    const tokens = rabbit.tokens({ resource: OPAQUE_RABBIT })
    await rabbit.revoke((await tokens.getAccessToken('broker.client')).value)
    const clients = await Promise.all(Array.from({ length: 5 }, () => connect(tokens)))
    for (const [index, { client }] of clients.entries()) await (await messenger(client, `first-${index}`)).exchange()
    expect(rabbit.provider().tokenRequests).toHaveLength(2)
  })

  test("a broker that refuses every token: MQTT.js's own error, after one new token", async () => {
    rabbit.provider().addResource('urn:other-broker', 'other', 'jwt')
    const tokens = rabbit.tokens()
    const options = { tokenParameters: { resource: 'urn:other-broker' } }
    const error = await errorOf(connectMqtt(tokens, 'broker.client', url(), options))
    expect(error.message).toMatch(/^Connection refused/)
    expect(rabbit.provider().tokenRequests).toHaveLength(2)
    await errorOf(connectMqtt(tokens, 'broker.client', url(), options))
    await errorOf(connectMqtt(tokens, 'broker.client', url(), options))
    expect(rabbit.provider().tokenRequests.length).toBeLessThan(4)
    const { value } = await tokens.getAccessToken('broker.client', options.tokenParameters)
    expect(inspect(error, { depth: 20, showHidden: true })).not.toContain(value)
  })

  test('no token can be had: the error says so', async () => {
    const tokens = rabbit.tokens()
    rabbit
      .provider()
      .tokenEndpointFaults.fail(Number.POSITIVE_INFINITY, { status: 400, body: { error: 'invalid_client' } })
    const error = await errorOf(connectMqtt(tokens, 'broker.client', url()))
    expect(error).toMatchObject({ code: 'token_request_failed', error: 'invalid_client' })
  })

  test('a client that cannot connect: the error of MQTT.js', async () => {
    const tokens = rabbit.tokens()
    const proxy = await startFaultProxy(rabbit.ports().mqtt)
    await proxy.close()
    const error = await errorOf(connectMqtt(tokens, 'broker.client', `mqtt://127.0.0.1:${proxy.port}`))
    expect(error.code).toBe('ECONNREFUSED')
  })

  test('reconnectBeforeExpiry: false leaves the connection as it is', async () => {
    const tokens = rabbit.tokens({ lifetimeSeconds: 1 })
    const { client } = await connect(tokens, { reconnectBeforeExpiry: false })
    let reconnections = 0
    client.on('connect', () => reconnections++)
    await until('the token was renewed', async () => rabbit.provider().tokenRequests.length >= 3)
    expect(reconnections).toBe(0)
  })

  test('a client that has ended needs no more tokens', async () => {
    const tokens = rabbit.tokens({ lifetimeSeconds: 1 })
    const { client } = await connect(tokens, { reconnectBeforeExpiry: false })
    await until('the token was renewed', async () => rabbit.provider().tokenRequests.length >= 2)
    await client.endAsync()
    const { expiresAt } = await tokens.getAccessToken('broker.client')
    const { length } = rabbit.provider().tokenRequests
    await until('the last token has expired', async () => Date.now() > Number(expiresAt) + 500)
    expect(rabbit.provider().tokenRequests).toHaveLength(length)
  })

  test('the options of the client hold no token', async () => {
    const tokens = rabbit.tokens()
    const { client } = await connect(tokens)
    const { value } = await tokens.getAccessToken('broker.client')
    expect(inspect(client.options, { depth: 10, showHidden: true })).not.toContain(value)
    expect(JSON.stringify({ ...client.options })).not.toContain(value)
  })
})
