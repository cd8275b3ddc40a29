import { inspect } from 'node:util'
import { connectAmqp } from '@tokenward/amqp'
import { startFaultProxy, until } from '@tokenward/local-servers'
import { OPAQUE_RABBIT, RABBIT, RABBIT_SCOPE, useRabbit, watchedProxy } from '@tokenward/test-support'
import { type ChannelModel, connect, type RecoveringChannelModel } from 'amqplib'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { errorOf, hasRabbit } from './support'

const REFUSED = /^Handshake terminated by server: 403 \(ACCESS-REFUSED\)/

/** Ends a connection with the test. Returns the errors that it emits. */
function watch(connection: ChannelModel | RecoveringChannelModel): Error[] {
  const errors: Error[] = []
  connection.on('error', (error) => errors.push(error))
  onTestFinished(() => connection.close().catch(() => {}))
  return errors
}

/** Publishes a message and waits until it is consumed. */
async function messenger(connection: ChannelModel) {
  const channel = await connection.createConfirmChannel()
  const { queue } = await channel.assertQueue('', { exclusive: true })
  const received: string[] = []
  await channel.consume(queue, (message) => message && received.push(String(message.content)), { noAck: true })
  let count = 0
  return async () => {
    const text = `message ${++count}`
    channel.sendToQueue(queue, Buffer.from(text))
    await channel.waitForConfirms()
    await vi.waitFor(() => expect(received).toContain(text), 60_000)
    // The broker checks the permissions of each new declaration. It may remember those for messages.
    await channel.assertExchange(`exchange-${count}`, 'fanout', { autoDelete: true })
    await channel.deleteExchange(`exchange-${count}`)
  }
}

describe.runIf(hasRabbit)('a connection to RabbitMQ', () => {
  const rabbit = useRabbit()
  const url = () => `amqp://127.0.0.1:${rabbit.ports().amqp}`

  test('messages are sent and received long after the first token has expired', async () => {
    // A JWT has whole seconds only. A shorter one could expire before it is renewed.
    const tokens = rabbit.tokens({ lifetimeSeconds: 8 })
    const problems: unknown[] = []
    const options = { onError: (error: unknown) => problems.push(error) }
    const connection = await connectAmqp(tokens, 'broker.client', url(), options)
    const errors = watch(connection)
    const exchange = await messenger(connection)
    const { expiresAt } = await tokens.getAccessToken('broker.client')
    // Real time, because RabbitMQ and the authorization server have the real clock.
    while (Date.now() < Number(expiresAt) + 2_000) await exchange()
    expect(rabbit.provider().tokenRequests.length).toBeGreaterThanOrEqual(2)
    expect([...errors, ...problems]).toEqual([])
  })

  test('without the package, the broker refuses what comes after the expiry', async () => {
    const tokens = rabbit.tokens({ lifetimeSeconds: 2 })
    const { value } = await tokens.getAccessToken('broker.client')
    const connection = await connect(`amqp://worker:${value}@127.0.0.1:${rabbit.ports().amqp}`)
    watch(connection)
    await connection.createChannel()
    const channel = await connection.createChannel()
    channel.on('error', () => {})
    let error: unknown
    await until('the broker refuses', async () => {
      await channel.assertQueue('', { exclusive: true }).catch((thrown) => {
        error = thrown
      })
      return error !== undefined
    })
    expect(String(error)).toMatch(/ACCESS_REFUSED.* expired/)
  })

  test('a manager that is closed during the login: an error, and no connection stays open', async () => {
    const tokens = rabbit.tokens()
    // The first bytes begin the handshake.
    const { port, open } = await watchedProxy(rabbit.ports().amqp, () => void tokens.close())
    const error = await errorOf(connectAmqp(tokens, 'broker.client', `amqp://127.0.0.1:${port}`))
    expect(error).toMatchObject({ code: 'token_request_failed', error: 'closed' })
    await until('the connection is closed', async () => open.size === 0)
  })

  test('after a revocation, the next logins are tried once more with one new token', async () => {
    const tokens = rabbit.tokens({ resource: OPAQUE_RABBIT })
    watch(await connectAmqp(tokens, 'broker.client', url()))
    const { value } = await tokens.getAccessToken('broker.client')
    await rabbit.revoke(value)
    expect(String(await errorOf(connect(`amqp://worker:${value}@127.0.0.1:${rabbit.ports().amqp}`)))).toMatch(/403/)
    const connections = await Promise.all(Array.from({ length: 10 }, () => connectAmqp(tokens, 'broker.client', url())))
    for (const connection of connections) {
      watch(connection)
      await (await messenger(connection))()
    }
    expect(rabbit.provider().tokenRequests).toHaveLength(2)
  })

  test('a broker that refuses every token: its own error, after one new token', async () => {
    rabbit.provider().addResource('urn:other-broker', 'other', 'jwt')
    const tokens = rabbit.tokens()
    const options = { tokenParameters: { resource: 'urn:other-broker' } }
    const error = await errorOf(connectAmqp(tokens, 'broker.client', url(), options))
    expect(error.message).toMatch(REFUSED)
    expect(rabbit.provider().tokenRequests).toHaveLength(2)
    // Further attempts do not each request a token.
    await errorOf(connectAmqp(tokens, 'broker.client', url(), options))
    await errorOf(connectAmqp(tokens, 'broker.client', url(), options))
    expect(rabbit.provider().tokenRequests.length).toBeLessThan(4)
    const { value } = await tokens.getAccessToken('broker.client', options.tokenParameters)
    expect(inspect(error, { depth: 20, showHidden: true })).not.toContain(value)
  })

  test('no token can be had: the error says so, and nothing reaches the broker', async () => {
    const tokens = rabbit.tokens()
    rabbit.provider().tokenEndpointFaults.fail(Infinity, { status: 400, body: { error: 'invalid_client' } })
    const error = await errorOf(connectAmqp(tokens, 'broker.client', url()))
    expect(error).toMatchObject({ code: 'token_request_failed', error: 'invalid_client' })
  })

  test('a new token that the broker refuses is reported, and the connection ends as the broker ends it', async () => {
    const tokens = rabbit.tokens({ lifetimeSeconds: 2 })
    onTestFinished(() => rabbit.provider().addResource(RABBIT, RABBIT_SCOPE, 'jwt'))
    const problems: unknown[] = []
    const failed: unknown[] = []
    tokens.on('callbackFailed', (event) => failed.push(event))
    const options = { onError: (error: unknown) => problems.push(error) }
    const connection = await connectAmqp(tokens, 'broker.client', url(), options)
    const errors = watch(connection)
    // The authorization server now issues tokens in a form that this session does not take.
    rabbit.provider().addResource(RABBIT, RABBIT_SCOPE, 'opaque')
    await until('the refusal is reported', async () => problems.length > 0)
    expect(String(problems[0])).toMatch(/530 \(NOT-ALLOWED\).*New secret was refused/)
    expect(problems[0]).toBe(errors[0])
    expect(failed).toEqual([{ client: 'broker.client', reason: expect.anything() }])
  })

  test('a closed connection needs no more tokens', async () => {
    const tokens = rabbit.tokens({ lifetimeSeconds: 1 })
    const connection = await connectAmqp(tokens, 'broker.client', url())
    await until('the token was renewed', async () => rabbit.provider().tokenRequests.length >= 2)
    await connection.close()
    const { expiresAt } = await tokens.getAccessToken('broker.client')
    const { length } = rabbit.provider().tokenRequests
    await until('the last token has expired', async () => Date.now() > Number(expiresAt) + 500)
    expect(rabbit.provider().tokenRequests).toHaveLength(length)
  })

  describe("with amqplib's own recovery", () => {
    async function setup(tokens: ReturnType<typeof rabbit.tokens>) {
      const proxy = await startFaultProxy(rabbit.ports().amqp)
      onTestFinished(() => proxy.close())
      const recovery = { initialDelay: 50, maxDelay: 200 }
      const proxied = `amqp://127.0.0.1:${proxy.port}`
      const connection = await connectAmqp(tokens, 'broker.client', proxied, { recovery })
      const errors = watch(connection)
      return { proxy, connection, errors }
    }

    test('a connection that was lost for longer than its token lives comes back with a new one', async () => {
      const tokens = rabbit.tokens({ lifetimeSeconds: 2 })
      const { proxy, connection } = await setup(tokens)
      const { value, expiresAt } = await tokens.getAccessToken('broker.client')
      await proxy.refuse()
      await until('the token has expired', async () => Date.now() > Number(expiresAt) + 100)
      const again = new Promise<ChannelModel>((resolve) => connection.once('connect', resolve))
      await proxy.heal()
      await (await messenger(await again))()
      expect((await tokens.getAccessToken('broker.client')).value).not.toBe(value)
    })

    test('a token that was revoked meanwhile is replaced by one new token', async () => {
      const tokens = rabbit.tokens({ resource: OPAQUE_RABBIT })
      const { proxy, connection } = await setup(tokens)
      const failures: Error[] = []
      connection.on('connect-failed', (error) => REFUSED.test(error.message) && failures.push(error))
      await rabbit.revoke((await tokens.getAccessToken('broker.client')).value)
      const again = new Promise<ChannelModel>((resolve) => connection.once('connect', resolve))
      await proxy.refuse()
      await proxy.heal()
      await (await messenger(await again))()
      expect(rabbit.provider().tokenRequests).toHaveLength(2)
      expect(failures.length).toBeGreaterThan(0)
    })

    test('the first login, too, is tried again with a new token', async () => {
      const tokens = rabbit.tokens({ resource: OPAQUE_RABBIT })
      await rabbit.revoke((await tokens.getAccessToken('broker.client')).value)
      const { connection } = await setup(tokens)
      await (await connection.createChannel()).assertQueue('', { exclusive: true })
      expect(rabbit.provider().tokenRequests).toHaveLength(2)
    })

    test('it ends with the connection', async () => {
      const tokens = rabbit.tokens({ lifetimeSeconds: 1 })
      const { connection } = await setup(tokens)
      await connection.close()
      const { expiresAt } = await tokens.getAccessToken('broker.client')
      const { length } = rabbit.provider().tokenRequests
      await until('the last token has expired', async () => Date.now() > Number(expiresAt) + 500)
      expect(rabbit.provider().tokenRequests).toHaveLength(length)
    })
  })
})
