import { createAmqpManager } from '@tokenward/amqp'
import { startFaultProxy, until } from '@tokenward/local-servers'
import { OPAQUE_RABBIT, useRabbit } from '@tokenward/test-support'
import { connect } from 'amqp-connection-manager'
import { describe, expect, onTestFinished, test } from 'vitest'
import { hasRabbit } from './support'

describe.runIf(hasRabbit)('connections of amqp-connection-manager to RabbitMQ', () => {
  const rabbit = useRabbit()
  const url = () => `amqp://127.0.0.1:${rabbit.ports().amqp}`

  async function setup(tokens: ReturnType<typeof rabbit.tokens>) {
    const proxy = await startFaultProxy(rabbit.ports().amqp)
    onTestFinished(() => proxy.close())
    const problems: unknown[] = []
    const manager = createAmqpManager(connect, tokens, 'broker.client', [`amqp://127.0.0.1:${proxy.port}`], {
      reconnectTimeInSeconds: 0.1,
      onError: (error) => problems.push(error),
    })
    onTestFinished(() => manager.close().catch(() => {}))
    const received: string[] = []
    const channel = manager.createChannel({
      async setup(raw: import('amqplib').ConfirmChannel) {
        await raw.assertQueue('managed', { autoDelete: true })
        await raw.consume('managed', (message) => message && received.push(String(message.content)), { noAck: true })
      },
    })
    let count = 0
    return {
      proxy,
      manager,
      problems,
      async exchange() {
        const text = `message ${++count}`
        await channel.sendToQueue('managed', Buffer.from(text))
        await until('the message is received', async () => received.includes(text))
      },
    }
  }

  test('messages are sent and received long after the first token has expired, over one connection', async () => {
    // A JWT has whole seconds only. A shorter one could expire before it is renewed.
    const tokens = rabbit.tokens({ lifetimeSeconds: 8 })
    const { exchange, manager, problems } = await setup(tokens)
    let connections = 0
    manager.on('connect', () => connections++)
    await exchange()
    const { expiresAt } = await tokens.getAccessToken('broker.client')
    while (Date.now() < Number(expiresAt) + 2_000) await exchange()
    const channel = await manager.connection?.createChannel()
    await channel?.assertQueue('', { exclusive: true })
    expect(connections).toBe(1)
    expect(problems).toEqual([])
  })

  test('a connection that was lost for longer than its token lives comes back with a new one', async () => {
    const tokens = rabbit.tokens({ lifetimeSeconds: 2 })
    const { exchange, proxy } = await setup(tokens)
    await exchange()
    const { expiresAt } = await tokens.getAccessToken('broker.client')
    await proxy.refuse()
    await until('the token has expired', async () => Date.now() > Number(expiresAt) + 100)
    await proxy.heal()
    await exchange()
  })

  test('a token that was revoked meanwhile is replaced by one new token', async () => {
    const tokens = rabbit.tokens({ resource: OPAQUE_RABBIT })
    const { exchange, manager, proxy } = await setup(tokens)
    await exchange()
    await rabbit.revoke((await tokens.getAccessToken('broker.client')).value)
    await proxy.refuse()
    await until('the connection is lost', async () => !manager.isConnected())
    await proxy.heal()
    await exchange()
    expect(rabbit.provider().tokenRequests).toHaveLength(2)
  })

  test('when the definition was removed, a lost connection comes back once, and onError says why it gets no new token', async () => {
    const tokens = rabbit.tokens()
    const [one, other] = [await startFaultProxy(rabbit.ports().amqp), await startFaultProxy(rabbit.ports().amqp)]
    onTestFinished(() => one.close().then(() => other.close()))
    const problems: unknown[] = []
    const servers = [one, other].map(({ port }) => `amqp://127.0.0.1:${port}`)
    const manager = createAmqpManager(connect, tokens, 'broker.client', servers, {
      reconnectTimeInSeconds: 0.1,
      onError: (error) => problems.push(error),
    })
    onTestFinished(() => manager.close().catch(() => {}))
    await until('it is connected', async () => manager.isConnected())
    const failures: unknown[] = []
    manager.on('connectFailed', ({ err }) => failures.push(err))
    tokens.removeClient('broker.client')
    await one.refuse()
    await until('it is connected to the other one', async () => problems.length > 0)
    expect(problems).toContainEqual(expect.objectContaining({ code: 'unknown_client' }))
    expect(manager.isConnected()).toBe(true)
    expect(failures).toEqual([])
  })

  test('servers can be found by a function, and may have their own options', async () => {
    const tokens = rabbit.tokens()
    const servers = async () => [{ url: url(), connectionOptions: { clientProperties: { connection_name: 'own' } } }]
    const manager = createAmqpManager(connect, tokens, 'broker.client', servers)
    onTestFinished(() => manager.close())
    await until('it is connected', async () => manager.isConnected())
  })

  test('a server may be an object of amqplib', async () => {
    const tokens = rabbit.tokens()
    const server = { protocol: 'amqp', hostname: '127.0.0.1', port: rabbit.ports().amqp, username: 'worker' }
    const manager = createAmqpManager(connect, tokens, 'broker.client', server)
    onTestFinished(() => manager.close())
    await until('it is connected', async () => manager.isConnected())
  })

  test('it ends with the manager', async () => {
    const tokens = rabbit.tokens({ lifetimeSeconds: 1 })
    const { exchange, manager } = await setup(tokens)
    await exchange()
    await manager.close()
    const { expiresAt } = await tokens.getAccessToken('broker.client')
    const { length } = rabbit.provider().tokenRequests
    await until('the last token has expired', async () => Date.now() > Number(expiresAt) + 500)
    expect(rabbit.provider().tokenRequests).toHaveLength(length)
  })
})
